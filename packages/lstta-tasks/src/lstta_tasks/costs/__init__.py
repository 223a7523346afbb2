"""What a task costs: parameters, MACs, bytes, time and memory."""
