"""What of a run stands in its log and in TensorBoard, under which names."""

from __future__ import annotations

from typing import Any

from mmengine.runner import LogProcessor, Runner

from lstta_tasks.experiment.distributed import ranks

OVER_STEPS = r"^(?!val/).*(loss|time|grad_norm)"
"""What is averaged over the last steps: of training alone. A validation's numbers are its own."""


class RunLog(LogProcessor):
    """MMEngine's, with the times of validations apart from those of training steps: ``val/time``, ``val/data_time``.

    Of training steps it also says ``clips_per_second``, of all processes together, next to MMEngine's ``lr`` and, where
    there is a GPU, ``memory``, the most that was taken of it, in MB.
    """

    def __init__(self) -> None:
        super().__init__(mean_pattern=OVER_STEPS)

    def get_log_after_iter(self, runner: Runner, batch_idx: int, mode: str) -> tuple[dict[str, Any], str]:
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        if mode == "train" and tag.get("time"):
            clips = ranks() * (runner.train_dataloader.batch_size or 1)
            tag["clips_per_second"] = clips / tag["time"]
            text += f"  clips_per_second: {tag['clips_per_second']:.1f}"
        return tag, text

    def get_log_after_epoch(
        self, runner: Runner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[dict[str, Any], str]:
        tag, text = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        return {name if name.startswith(f"{mode}/") else f"{mode}/{name}": value for name, value in tag.items()}, text
