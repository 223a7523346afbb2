"""Published checkpoint files: a pickle of ``cfg`` and ``model``, read as tensors and plain values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lstta_backbone_beats.network import Network, Sizes
from lstta_core.finite import not_finite

PUBLISHED = {
    "layer_norm_first": False,
    "activation_fn": "gelu",
    "relative_position_embedding": True,
    "gru_rel_pos": True,
}
"""What all published checkpoints say of themselves, and no other is read."""
PREDICTOR = "predictor."
"""Parameters of the head of fine-tuned checkpoints, which no encoder has."""
CONVOLVED = "encoder.pos_conv.0"
SHARED = "self_attn.relative_attention_bias.weight"


def load(path: Path) -> Network:
    """The network of a checkpoint file, in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no checkpoint of BEATs; the message names what is wrong.
    """
    if path.is_dir():
        raise ValueError(f"{path}: it is a folder; give the path of a checkpoint file, e.g. BEATs_iter3_plus_AS2M.pt")
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; download a checkpoint, e.g. BEATs_iter3_plus_AS2M.pt, from the page of BEATs "
            "(microsoft/unilm on GitHub, folder beats) and give its path"
        )
    held = _read(path)
    network = Network(_sizes(path, held["cfg"]))
    tensors = _tensors(path, held["model"])
    wanted = network.state_dict()
    missing, unknown = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or unknown:
        what = f"lacks {missing[0]}" if missing else f"has {unknown[0]}"
        raise ValueError(f"{path}: its model {what}: these are not the weights of a BEATs encoder of its cfg")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(tensor.shape)}, its cfg says {tuple(wanted[name].shape)}"
            )
    network.load_state_dict(tensors)
    return network.eval()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch lets through whatever a damaged file makes of its reader
        raise ValueError(
            f"{path}: it cannot be read as tensors and plain values ({type(error).__name__}): it is damaged, no "
            "checkpoint, or holds something else, which is not read since it could run code"
        ) from error
    for key in ("cfg", "model"):
        if not isinstance(held, Mapping) or not isinstance(held.get(key), Mapping):
            raise ValueError(
                f"{path}: a checkpoint of BEATs is a dict with the dicts 'cfg' and 'model'; it has no {key!r}"
            )
    for name, tensor in held["model"].items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{path}: model[{name!r}] is a {type(tensor).__name__}; tensors by their names are wanted")
    if bad := not_finite(held["model"]):
        raise ValueError(f"{path}: {bad[0]} has values that are not finite")
    return held


def _sizes(path: Path, cfg: Mapping[str, Any]) -> Sizes:
    for name, published in PUBLISHED.items():
        if cfg.get(name, False if name != "activation_fn" else "gelu") != published:
            raise ValueError(
                f"{path}: cfg.{name} is {cfg.get(name)!r}, published checkpoints of BEATs have {published!r}"
            )
    given = {field.name: cfg[field.name] for field in fields(Sizes) if field.name in cfg}
    for name, value in given.items():
        kind = type(getattr(Sizes, name))
        if type(value) is not kind or (kind is int and value < 1):
            wanted = "True or False" if kind is bool else "a whole number, 1 or more"
            raise ValueError(f"{path}: cfg.{name} is {value!r}, {wanted} is wanted")
    return Sizes(**given)


def _tensors(path: Path, model: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By our names: the convolution's norm folded in, the bias that all blocks share once, no predictor."""
    given = {name: tensor.float() for name, tensor in model.items() if not name.startswith(PREDICTOR)}
    tensors = {name: tensor for name, tensor in given.items() if SHARED not in name and CONVOLVED not in name}
    shared = [tensor for name, tensor in given.items() if name.endswith(SHARED)]
    if any(not torch.equal(shared[0], other) for other in shared):
        raise ValueError(f"{path}: its blocks have position biases of their own, published ones share one")
    if shared:
        tensors["encoder.relative_attention_bias.weight"] = shared[0]
    # As weight_norm has named them, and as its successor does.
    for scale, direction in (("weight_g", "weight_v"), tuple(f"parametrizations.weight.original{i}" for i in (0, 1))):
        if f"{CONVOLVED}.{scale}" in given and f"{CONVOLVED}.{direction}" in given:
            towards = given[f"{CONVOLVED}.{direction}"]
            length = towards.square().sum((0, 1), keepdim=True).sqrt()
            tensors["encoder.pos_conv.weight"] = given[f"{CONVOLVED}.{scale}"] * towards / length
    if f"{CONVOLVED}.bias" in given:
        tensors["encoder.pos_conv.bias"] = given[f"{CONVOLVED}.bias"]
    return tensors
