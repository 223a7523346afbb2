"""Several processes, by torchrun, srun or mpirun; on CPUs too: MMEngine's own start and wrapping want a GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from mmengine.dist import (
    all_gather_object,
    broadcast_object_list,
    get_rank,
    get_world_size,
    init_dist,
    is_distributed,
    is_main_process,
)
from mmengine.model import MMDistributedDataParallel
from torch import distributed, nn

from lstta_core.sharding import sharded_names
from lstta_tasks.device import device_of

Result = TypeVar("Result")


class OtherRankError(ValueError):
    """Another process cannot go on, so this one does not either; the message is the other's."""


def join(launcher: str) -> None:
    """Join the processes that torchrun, Slurm or Open MPI started; nothing where there is no launcher.

    Raises:
        ValueError: the launcher did not start this process, or does not say where rank 0 is.
    """
    if launcher == "none" or is_distributed():
        return
    if launcher != "pytorch":
        from lstta_tasks.experiment.launchers import as_torchrun_says

        os.environ.update(as_torchrun_says(launcher, os.environ))
    if "RANK" not in os.environ:
        raise ValueError(f"--launcher {launcher} wants torchrun --nproc-per-node 2 -m lstta_tasks train CONFIG …")
    if torch.cuda.is_available():
        init_dist("pytorch")
    else:
        distributed.init_process_group("gloo")


def alone(launcher: str, device: str | None) -> None:
    """Refuse a device for a process that takes its own: among several, each has the GPU of its number.

    Raises:
        ValueError: both are given, or there is no such device.
    """
    if device is None:
        return
    if launcher != "none":
        raise ValueError(f"--device {device}: under --launcher {launcher} each process takes a GPU of its own")
    device_of(device)


def wrap(model: nn.Module) -> MMDistributedDataParallel:
    """The model, with gradients averaged over the processes; what these share out is left to itself."""
    if shared_out := sharded_names(model):
        MMDistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, shared_out)
    devices = [int(os.environ["LOCAL_RANK"])] if torch.cuda.is_available() else None
    return MMDistributedDataParallel(module=model, device_ids=devices, broadcast_buffers=False)


def on_first(work: Callable[[], Result]) -> Result:
    """What the first rank finds, on every rank; what it raises, too: there as it is, elsewhere as OtherRankError."""
    answer: list[Any] = [None, None]
    raised: Exception | None = None
    if is_main_process():
        try:
            answer[0] = work()
        except Exception as error:  # whatever it is, others must not wait for it
            raised, answer = error, [None, _said(error)]
    broadcast_object_list(answer)
    if raised is not None:
        raise raised
    if answer[1] is not None:
        raise OtherRankError(f"rank 0: {answer[1]}")
    result: Result = answer[0]
    return result


@contextmanager
def together() -> Iterator[None]:
    """Work that each rank does by itself: where one cannot, none goes on. Raises as :func:`on_first` does."""
    raised: Exception | None = None
    try:
        yield
    except Exception as error:  # likewise
        raised = error
    said = all_gather_object(None if raised is None else _said(raised))
    if raised is not None:
        raise raised
    for rank, message in enumerate(said):
        if message is not None:
            raise OtherRankError(f"rank {rank}: {message}")


def largest(value: int) -> int:
    """The largest of the ranks' numbers, on every rank."""
    if not is_distributed():
        return value
    number = torch.tensor(value, device="cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(number, distributed.ReduceOp.MAX)
    return int(number)


def by_rank(value: Result) -> list[Result]:
    """The values of all ranks, in their order, on every rank."""
    values: list[Result] = all_gather_object(value)
    return values


def rank() -> int:
    """Of this process."""
    return int(get_rank())


def ranks() -> int:
    """How many processes there are."""
    return int(get_world_size())


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
