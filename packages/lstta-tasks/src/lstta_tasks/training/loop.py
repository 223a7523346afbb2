"""The course of a training: epochs and validations, from any step on, until they are done or it is asked to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from lstta_tasks.experiment.distributed import ranks
from lstta_tasks.experiment.loader import PlacedSampler
from lstta_tasks.training.stopping import Stopping


class TrainLoop(EpochBasedTrainLoop):
    """MMEngine's loop, which may begin within an epoch or before a validation, and ends when ``stopping`` says so.

    Args:
        runner: whose loop it is.
        dataloader: with a :class:`~lstta_tasks.experiment.loader.PlacedSampler`.
        stopping: asked between two steps.
        options: of MMEngine's loop.

    Attributes:
        done: how many steps of the running epoch are done.
        validation_due: whether what was trained last is to be validated.
        unit: what ``place`` and ``length`` count.
    """

    unit = "epoch"

    def __init__(self, runner: Runner, dataloader: DataLoader[Any], *, stopping: Stopping, **options: Any) -> None:
        super().__init__(runner, dataloader, **options)
        self.stopping = stopping
        self.done = 0
        self.validation_due = False

    @property
    def place(self) -> int:
        """How much of :attr:`length` is done."""
        return int(self._epoch)

    @property
    def length(self) -> int:
        """Of the whole training."""
        return int(self._max_epochs)

    def run(self) -> nn.Module:
        """Train to the end. Raises Stopped, between two steps, where a signal asks for that."""
        self.runner.call_hook("before_train")
        while self.validation_due or (self.place < self.length and not self.stop_training):
            if not self.validation_due:
                self.run_epoch()
                self.validation_due = self._is_due()
            if self.validation_due:
                self.runner.val_loop.run()
                self.validation_due = False
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """The steps of an epoch that are not done yet, or those until the loop pauses within it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for step, batch in enumerate(self._batches(), self.done):
            self.run_iter(step, batch)
            self.done = step + 1
            if self._pauses():
                break
        self.runner.call_hook("after_train_epoch")
        if self.done == len(self.dataloader):
            self._epoch += 1
            self.done = 0

    def _pauses(self) -> bool:
        """Whether to leave the data here, within an epoch."""
        return False

    def _is_due(self) -> bool:
        """Whether to validate at this place."""
        self._decide_current_val_interval()
        return self.place >= self.val_begin and (self.place == self.length or self.place % self.val_interval == 0)

    def _batches(self) -> Iterator[Any]:
        sampler = self.dataloader.sampler
        assert isinstance(sampler, PlacedSampler)
        sampler.done = self.done * (self.dataloader.batch_size or 1)
        alone = ranks() == 1
        with self.stopping.waiting(alone=alone):
            batches = iter(self.dataloader)
        while True:
            self.stopping.check()
            with self.stopping.waiting(alone=alone):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch
