"""MMEngine's runner as trainings use it: its log, its loop, and what it resumes from."""

from __future__ import annotations

import itertools
import logging
import sys
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, Runner

from lstta_core.lockstep import TrimodalModel
from lstta_tasks.experiment.distributed import wrap
from lstta_tasks.training.checkpoint_hook import CheckpointHook
from lstta_tasks.training.checkpoints import Checkpoint
from lstta_tasks.training.loop import TrainLoop
from lstta_tasks.training.stopping import Stopped, Stopping

_number = itertools.count()
"""Of a process's runners. MMEngine gives two that begin in one second one name, and with it one log and one history."""


class RunRunner(Runner):
    """Logs to ``train.log`` of the run folder, and only errors to the terminal; ends when a signal asks for it.

    Args:
        checkpoint: to go on from; every rank has it.
        stopping: of the training.
        device: where the model trains; of several processes each has its own.
        shard: whether several processes share the frozen encoders out.
        options: MMEngine's.
    """

    def __init__(
        self, *, checkpoint: Checkpoint | None, stopping: Stopping, device: torch.device, shard: bool, **options: Any
    ) -> None:
        self.checkpoint, self.stopping, self.device, self.shard = checkpoint, stopping, device, shard
        path = None if checkpoint is None else str(checkpoint.path)
        super().__init__(
            load_from=path, resume=checkpoint is not None, experiment_name=f"run {next(_number)}", **options
        )

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(log_level, log_file or str(Path(self.work_dir) / "train.log"), **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.ERROR)
        return logger

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: torch.nn.Module) -> torch.nn.Module:
        model = model.to(self.device)
        if not self.distributed:
            return model
        if self.shard:
            from lstta_core.sharding import kept_bytes, shard_encoders

            for module in model.modules():
                if isinstance(module, TrimodalModel):
                    shard_encoders(module)
            if is_main_process():
                kept, whole = kept_bytes(model)
                print(f"frozen weights shared out: {kept / 1e6:,.1f} of {whole / 1e6:,.1f} MB in this process")
        return wrap(model)

    def _init_model_weights(self) -> None:
        """Nothing: the model is made, and DDP has given all ranks the first one's weights."""

    def build_train_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        if isinstance(loop, BaseLoop):
            return loop
        options = dict(loop)
        if options.pop("by_epoch", True):
            return TrainLoop(self, self._train_dataloader, stopping=self.stopping, **options)
        from lstta_tasks.training.steps_loop import StepsLoop

        return StepsLoop(self, self._train_dataloader, stopping=self.stopping, **options)

    def load_checkpoint(self, filename: str, *_: Any, **__: Any) -> dict[str, Any]:
        """What was read, and found to fit, before: MMEngine's own would list all frozen weights as missing."""
        assert self.checkpoint is not None
        self.call_hook("after_load_checkpoint", checkpoint=self.checkpoint.content)
        self.checkpoint.restore(self)
        return self.checkpoint.content


def run_or_stop(runner: RunRunner, saving: CheckpointHook) -> None:
    """Train; where a signal ends it, write a checkpoint, say so, and raise Stopped all the same."""
    try:
        runner.train()
    except Stopped as stopped:
        runner.call_hook("interrupted")
        saving.save(runner)
        runner.visualizer.close()
        if is_main_process():
            done = f"{runner.iter:,} of {runner.max_iters:,} steps are done; --resume goes on from there"
            print(f"stopped by {stopped.name}: {done}", file=sys.stderr)
        raise
