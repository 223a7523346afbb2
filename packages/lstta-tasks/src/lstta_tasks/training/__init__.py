"""Training on MMEngine's runner: hooks, checkpoints, the course of a run."""
