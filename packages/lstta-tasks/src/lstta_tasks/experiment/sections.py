"""What a config may say: its sections, and what reads each. The keys are checked by ``config``."""

from __future__ import annotations

from dataclasses import dataclass

from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.nn.utils import clip_grad_norm_

from lstta_core.interfaces import Modality
from lstta_core.readout import Readout
from lstta_tasks.data.augment import Augment
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.experiment.factories import Factory
from lstta_tasks.experiment.loss import LossOptions
from lstta_tasks.experiment.runner import course
from lstta_tasks.network import build_model

SECTIONS: dict[str, type] = {
    "task": dict,  # name of a task, and its arguments
    "encoders": dict,  # by modality: name of an encoder, and its arguments
    "method": dict,  # name of a method, and its arguments; or budget, a number of parameters, instead of the width
    "model": dict,  # arguments of lstta_tasks.network.build_model
    "clips": dict,  # arguments of lstta_tasks.data.clip.Preprocessing that encoders do not decide; the cache
    "loader": dict,  # batch_size, workers, timeout; of training samples train_share, all by default, and sampling
    "optim_wrapper": dict,  # MMEngine's, with the optimizer's class; full_rate_inputs, see lstta_core.rates
    "schedule": dict,  # arguments of lstta_tasks.experiment.runner.course; or instead
    "param_scheduler": list,  # MMEngine's
    "train_cfg": dict,  # max_epochs, val_interval; or by_epoch=False, max_iters, val_interval
    "seed": int,
    "log_interval": int,  # training steps between two lines of the log
    "custom_hooks": list,  # MMEngine's, or one's own; see lstta_tasks.experiment.hooks
    "default_hooks": dict,  # options of MMEngine's own
    "vis_backends": list,  # MMEngine's, beside TensorBoard's events
    "loss": dict,  # class_weights, label_smoothing
    "augment": dict,  # arguments of lstta_tasks.data.augment.Augment
}

HABITS = ("custom_hooks", "default_hooks", "vis_backends")
"""Sections of MMEngine's habits, see ``experiment/hooks.py``."""

OPTIONAL = (*HABITS, "loss", "augment")
"""Sections that a config need not have."""

COURSES = ("schedule", "param_scheduler")
"""The sections of which a config has one."""


@dataclass(frozen=True)
class Reader:
    """What reads a section that names no plugin and no type.

    Attributes:
        factory: its arguments are keys of the section.
        given: those of its arguments that do not come from the config.
        optional: those that need not come from it.
        keys: other keys, all of them needed.
        extra: other keys that may be left out.
    """

    factory: Factory | None = None
    given: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


READERS = {
    "encoders": Reader(extra=tuple(map(str, Modality))),
    "model": Reader(build_model, given=("encoders", "method", "task")),
    "model.readout": Reader(Readout, given=("widths",)),
    "clips": Reader(Preprocessing, optional=("frame_size", "sample_rate"), keys=("cache", "codec"), extra=("prefix",)),
    "loader": Reader(keys=("batch_size", "workers"), extra=("timeout", "train_share", "sampling")),
    "optim_wrapper": Reader(OptimWrapper, extra=("full_rate_inputs", "paramwise_cfg")),
    "optim_wrapper.clip_grad": Reader(
        clip_grad_norm_, given=("parameters",), optional=("max_norm",), extra=("type", "clip_value")
    ),
    "loss": Reader(LossOptions),
    "augment": Reader(Augment),
    "schedule": Reader(course, given=("length", "by_epoch")),
    "train_cfg": Reader(EpochBasedTrainLoop, given=("runner", "dataloader"), extra=("by_epoch",)),
}
BY_STEPS = Reader(IterBasedTrainLoop, given=("runner", "dataloader"), extra=("by_epoch",))
"""Of ``train_cfg`` where it has by_epoch=False."""
