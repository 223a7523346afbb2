"""The optimizer that a config describes."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper

from lstta_tasks.experiment.factories import call, callable_of, plain


def optim_wrapper(config: Config, model: torch.nn.Module, *, amp: bool) -> OptimWrapper:
    """The optimizer over what trains and nothing else."""
    options = plain(config.optim_wrapper)
    optimizer_options = options.pop("optimizer")
    factory = callable_of("optim_wrapper.optimizer", optimizer_options.pop("type"))
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = call(factory, "optim_wrapper.optimizer", {"params": trainable, **optimizer_options})
    if amp:
        return AmpOptimWrapper(optimizer=optimizer, dtype="bfloat16", **options)
    return OptimWrapper(optimizer=optimizer, **options)
