"""Training on MMEngine's runner: the course of a run, checkpoints and hooks."""

import lstta_tasks.experiment  # noqa: F401  # before mmengine: see there
