"""A small random checkpoint in the published layout, and the naive reference."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

CFG: dict[str, Any] = {
    "input_patch_size": 16,
    "embed_dim": 5,
    "conv_bias": False,
    "encoder_layers": 3,
    "encoder_embed_dim": 12,
    "encoder_ffn_embed_dim": 13,
    "encoder_attention_heads": 3,
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "deep_norm": True,
    "conv_pos": 6,
    "conv_pos_groups": 2,
    "relative_position_embedding": True,
    "num_buckets": 20,
    "max_distance": 37,
    "gru_rel_pos": True,
    "dropout": 0.1,  # and more that says nothing about the network
    "finetuned_model": False,
}


def tensors_of(cfg: dict[str, Any]) -> dict[str, Tensor]:
    """Random ones by their published names; norms and biases too, so that each of them counts."""
    random = torch.Generator().manual_seed(0)
    width, inner, patches = cfg["encoder_embed_dim"], cfg["encoder_ffn_embed_dim"], cfg["embed_dim"]
    heads, side, kernel = cfg["encoder_attention_heads"], cfg["input_patch_size"], cfg["conv_pos"]
    shapes = {
        "patch_embedding.weight": (patches, 1, side, side),
        "encoder.pos_conv.0.bias": (width,),
        "encoder.pos_conv.0.weight_g": (1, 1, kernel),
        "encoder.pos_conv.0.weight_v": (width, width // cfg["conv_pos_groups"], kernel),
    }
    linear = {"post_extract_proj": (patches, width)}
    norms = {"layer_norm": patches, "encoder.layer_norm": width}
    for index in range(cfg["encoder_layers"]):
        layer = f"encoder.layers.{index}"
        linear |= {f"{layer}.self_attn.{name}_proj": (width, width) for name in ("k", "v", "q", "out")}
        linear |= {f"{layer}.fc1": (width, inner), f"{layer}.fc2": (inner, width)}
        linear[f"{layer}.self_attn.grep_linear"] = (width // heads, 8)
        norms |= {f"{layer}.self_attn_layer_norm": width, f"{layer}.final_layer_norm": width}
        shapes[f"{layer}.self_attn.grep_a"] = (1, heads, 1, 1)
    for name, (before, after) in linear.items():
        shapes |= {f"{name}.weight": (after, before), f"{name}.bias": (after,)}
    shapes |= {f"{name}.{part}": (size,) for name, size in norms.items() for part in ("weight", "bias")}
    tensors = {
        name: torch.randn(shape, generator=random) * 0.4 + (0.9 if "norm.weight" in name else 0)
        for name, shape in shapes.items()
    }
    shared = torch.randn(cfg["num_buckets"], heads, generator=random)
    for index in range(cfg["encoder_layers"]):
        tensors[f"encoder.layers.{index}.self_attn.relative_attention_bias.weight"] = shared
    return tensors


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint, with changes to its ``cfg`` and its ``model``."""

    def write(cfg: dict[str, Any] | None = None, model: dict[str, Tensor | None] | None = None) -> Path:
        said = {**CFG, **(cfg or {})}
        tensors = {name: x for name, x in {**tensors_of(said), **(model or {})}.items() if x is not None}
        torch.save({"cfg": said, "model": tensors}, tmp_path / "small.pt")
        return tmp_path / "small.pt"

    return write


@pytest.fixture(scope="session")
def naive() -> ModuleType:
    """The module naive.py; test folders are no packages, so it cannot be imported by name."""
    spec = importlib.util.spec_from_file_location("lstta_beats_naive", Path(__file__).with_name("naive.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
