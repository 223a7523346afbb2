"""What the frozen blocks before the first adapted stage give, computed once and read from a cache."""
