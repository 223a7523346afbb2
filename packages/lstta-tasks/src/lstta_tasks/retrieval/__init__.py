"""What the task ``retrieval`` is made of: networks, losses, ranks, and an index that can be searched."""
