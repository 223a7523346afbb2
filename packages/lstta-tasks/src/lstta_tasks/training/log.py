"""What of a run stands in its log and in TensorBoard, under which names."""

from __future__ import annotations

from typing import Any

from mmengine.runner import LogProcessor, Runner

OVER_STEPS = r"^(?!val/).*(loss|time|grad_norm)"
"""What is averaged over the last steps: of training alone. A validation's numbers are its own."""


class RunLog(LogProcessor):
    """MMEngine's, with the times of validations apart from those of training steps: ``val/time``, ``val/data_time``."""

    def __init__(self) -> None:
        super().__init__(mean_pattern=OVER_STEPS)

    def get_log_after_epoch(
        self, runner: Runner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[dict[str, Any], str]:
        tag, text = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        return {name if name.startswith(f"{mode}/") else f"{mode}/{name}": value for name, value in tag.items()}, text
