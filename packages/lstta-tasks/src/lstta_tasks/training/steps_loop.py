"""A training of so many steps, validated after every so many: ``train_cfg = dict(by_epoch=False, max_iters=…)``."""

from __future__ import annotations

import bisect
import math
from typing import Any

from mmengine.runner import Runner
from torch.utils.data import DataLoader

from lstta_tasks.training.loop import TrainLoop


class StepsLoop(TrainLoop):
    """Passes through the data as by epochs, each in an order of its own, and may end or be validated within one.

    For hooks, what lies between two validations is an epoch too, where it does not end with the data; but the runner's
    count of epochs is that of whole ones.

    Args:
        runner: whose loop it is.
        dataloader: of :class:`~lstta_tasks.training.loop.TrainLoop`.
        max_iters: steps until the end.
        val_interval: steps between two validations.
        options: of :class:`~lstta_tasks.training.loop.TrainLoop`.
    """

    unit = "step"

    def __init__(
        self, runner: Runner, dataloader: DataLoader[Any], *, max_iters: int, val_interval: int = 1000, **options: Any
    ) -> None:
        epochs = math.ceil(max_iters / len(dataloader))
        super().__init__(runner, dataloader, max_epochs=epochs, val_interval=val_interval, **options)
        self._max_iters = max_iters

    @property
    def place(self) -> int:
        return int(self._iter)

    @property
    def length(self) -> int:
        return int(self._max_iters)

    def _pauses(self) -> bool:
        return self._is_due() or self.place == self.length

    def _decide_current_val_interval(self) -> None:
        after = bisect.bisect(self.dynamic_milestones, self._iter + 1)
        self.val_interval = self.dynamic_intervals[after - 1]
