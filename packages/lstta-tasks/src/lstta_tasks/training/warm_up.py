"""How long the warm-up of a compiled training took."""

from __future__ import annotations

import time
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

STEPS = 5
"""After which it is told: torch compiles in the first step, for other shapes in the next, and records CUDA graphs."""


class WarmUpHook(Hook):
    """Tells, in the log and on the terminal, what the first steps took beyond the fastest of them."""

    priority = "LOWEST"  # after those that wait for the device, since they read the loss

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = 0.0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.began = time.perf_counter()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if len(self.seconds) == STEPS:
            return
        self.seconds.append(time.perf_counter() - self.began)
        if len(self.seconds) == STEPS:
            self._tell(runner)

    def _tell(self, runner: Runner) -> None:
        fastest = min(self.seconds)
        steps = ", ".join(f"{seconds:.2f}" for seconds in self.seconds)
        said = (
            f"warm-up of model.compile: {sum(self.seconds) - STEPS * fastest:.1f} s in the first {STEPS} steps "
            f"({steps} s); other shapes and evaluation are compiled anew when they first come"
        )
        runner.logger.info(said)
        if is_main_process():
            print(said, flush=True)
