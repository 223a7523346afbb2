"""Several processes, started by torchrun; on a CPU too, where MMEngine's own start and wrapping ask for a GPU."""

from __future__ import annotations

import os

import torch
from mmengine.dist import init_dist, is_distributed
from mmengine.model import MMDistributedDataParallel
from torch import distributed, nn


def join(launcher: str) -> None:
    """Join the processes that torchrun started; nothing where there is no launcher.

    Raises:
        ValueError: torchrun did not start this process.
    """
    if launcher == "none" or is_distributed():
        return
    if "RANK" not in os.environ:
        raise ValueError(f"--launcher {launcher} wants torchrun --nproc-per-node 2 -m lstta_tasks train CONFIG …")
    if torch.cuda.is_available():
        init_dist(launcher)
    else:
        distributed.init_process_group("gloo")


def wrap(model: nn.Module) -> MMDistributedDataParallel:
    """The model, with gradients averaged over the processes."""
    devices = [int(os.environ["LOCAL_RANK"])] if torch.cuda.is_available() else None
    return MMDistributedDataParallel(module=model, device_ids=devices, broadcast_buffers=False)
