"""Frozen encoders shared out between processes: each keeps its part of every block's weights, by PyTorch's FSDP2.

A block's weights are gathered from all processes when it runs, forward and again backward, and let go after it. What
trains stays whole on each. Look-up tables are gathered for ``embed``; what else lies outside of blocks, such as norms
and patches, is small and stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh

from lstta_core.lockstep import TrimodalModel
from lstta_core.quantized import is_quantized


def shard_encoders(model: TrimodalModel) -> None:
    """Share the weights of the encoders out between all processes, in place. All processes call it, on their devices.

    Args:
        model: with its adapters.

    Raises:
        ValueError: an encoder does not say which modules its blocks are, its weights are in 8 or 4 bits, something
            trains inside the encoders, or torch is too old.
    """
    try:
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
    except ImportError as error:
        raise ValueError(f"sharding needs torch 2.7 or newer, and this is {torch.__version__}") from error
    if model.trained_inside:
        raise ValueError(
            f"the adapter trains {model.trained_inside[0]} inside the encoders, which cannot be sharded then"
        )
    mesh = init_device_mesh(model.device.type, (distributed.get_world_size(),))
    for modality, encoder in model.by_modality().items():
        if is_quantized(encoder):
            raise ValueError(
                f"the {modality} encoder's weights are in 8 or 4 bits, which cannot be sharded: choose one"
            )
        blocks = [encoder.block(index) for index in range(encoder.depth)]
        if not all(blocks):
            raise ValueError(
                f"the {modality} encoder {type(encoder).__name__} does not say which modules its blocks are, so they "
                "cannot be sharded: give it the method block"
            )
        for block in blocks:
            assert block is not None
            fully_shard(block, mesh=mesh, reshard_after_forward=True, ignored_params=set(_numbers(block)))
        tables = {id(m.weight) for m in encoder.modules() if isinstance(m, nn.Embedding)}
        whole = {p for p in encoder.parameters() if id(p) not in tables}
        if len(whole) < sum(1 for _ in encoder.parameters()):
            fully_shard(encoder, mesh=mesh, reshard_after_forward=True, ignored_params=whole)
            register_fsdp_forward_method(encoder, "embed")


def sharded_names(module: nn.Module) -> list[str]:
    """The names of what each process has a part of."""
    from torch.distributed.tensor import DTensor

    return [name for name, parameter in module.named_parameters() if isinstance(parameter, DTensor)]


def kept_bytes(module: nn.Module) -> tuple[int, int]:
    """The bytes of frozen parameters that this process keeps, and those of all there are."""
    from torch.distributed.tensor import DTensor

    frozen = [p for p in module.parameters() if not p.requires_grad]
    kept = [p.to_local() if isinstance(p, DTensor) else p for p in frozen]
    here, there = (sum(p.numel() * p.element_size() for p in some) for some in (kept, frozen))
    return here, there


def _numbers(module: nn.Module) -> Iterator[nn.Parameter]:
    """Parameters that have no rows to share out."""
    return (parameter for parameter in module.parameters() if parameter.ndim == 0)
