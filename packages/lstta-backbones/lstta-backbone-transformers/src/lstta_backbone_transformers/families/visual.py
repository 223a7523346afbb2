"""The visual families."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lstta_backbone_transformers.family import Features, VisualFamily
from lstta_backbone_transformers.needs import NO_MASK, PADDING_MASK, PIXEL_ROTARY, ROTARY
from lstta_backbone_transformers.perception import see

HALF = (0.5, 0.5, 0.5)


def _interpolated(model: Any, features: Features) -> Tensor:
    pixels = features["pixels"]
    return model.embeddings(pixels, interpolate_pos_encoding=tuple(pixels.shape[2:]) != _native(model.config))


def _native(config: Any) -> tuple[int, int]:
    size = config.image_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _clip_embed(model: Any, features: Features) -> Tensor:
    return model.pre_layrnorm(_interpolated(model, features))


def _any_size(model: Any, features: Features) -> Tensor:
    return model.embeddings(features["pixels"])


def _patches(model: Any, features: Features) -> Tensor:
    """SigLIP 2 reads patches; all pictures of a batch have one size, so the positions are resized once."""
    pixels, side = features["pixels"], model.config.patch_size
    rows, _, height, width = pixels.shape
    shape = (height // side, width // side)
    patches = pixels.unflatten(2, (shape[0], side)).unflatten(4, (shape[1], side)).permute(0, 2, 4, 3, 5, 1)
    embeddings = model.embeddings
    table = embeddings.position_embedding.weight.unflatten(0, (embeddings.position_embedding_size, -1))
    places = embeddings.resize_positional_embeddings(table, torch.tensor([shape]), max_length=shape[0] * shape[1])
    return embeddings.patch_embedding(patches.reshape(rows, shape[0] * shape[1], -1)) + places


def _siglip2_size(config: Any) -> tuple[int, int]:
    side = int(config.num_patches**0.5) * config.patch_size
    return (side, side)


def _swin_embed(model: Any, features: Features) -> Tensor:
    return model.embeddings(features["pixels"])[0]


def _swin_grid(config: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    height, width = size or _native(config)
    return (height // config.patch_size, width // config.patch_size)


def _swin_width(config: Any) -> int:
    return config.embed_dim


def _video_norm(model: Any) -> str | None:
    return None if model.config.use_mean_pooling else "layernorm"


def _video_window(config: Any) -> tuple[int, int]:
    return (config.num_frames, config.tubelet_size)


def _tubelets(model: Any, features: Features) -> Tensor:
    return model.embeddings(features["pixels"], None)


def _perception_size(config: Any) -> tuple[int, int]:
    """The vision model's; timm's configuration says it in its architecture's name, e.g. ``…_patch14_336``."""
    inner = config.vision_config
    side = int(inner.architecture.rsplit("_", 1)[-1]) if inner.model_type == "timm_wrapper" else inner.image_size
    return (side, side)


def _one(config: Any) -> int:
    return 1


def _one_and_registers(config: Any) -> int:
    return 1 + config.num_register_tokens


VISUAL: tuple[VisualFamily, ...] = (
    VisualFamily(
        model_type="vit",
        mechanism="plain",
        blocks="layers",
        embed=_interpolated,
        needs=(NO_MASK,),
        final_norm="layernorm",
        poolers=("pooler",),
        prefix=_one,
        mean=HALF,
        deviation=HALF,
    ),
    VisualFamily(
        model_type="clip_vision_model",
        mechanism="plain",
        blocks="encoder.layers",
        embed=_clip_embed,
        needs=(NO_MASK,),
        prefix=_one,
        mean=(0.48145466, 0.4578275, 0.40821073),
        deviation=(0.26862954, 0.26130258, 0.27577711),
    ),
    VisualFamily(
        model_type="siglip_vision_model",
        mechanism="plain",
        blocks="encoder.layers",
        embed=_interpolated,
        needs=(NO_MASK,),
        final_norm="post_layernorm",
        mean=HALF,
        deviation=HALF,
    ),
    VisualFamily(
        model_type="siglip2_vision_model",
        mechanism="plain",
        blocks="encoder.layers",
        embed=_patches,
        needs=(NO_MASK,),
        final_norm="post_layernorm",
        native_size=_siglip2_size,
        mean=HALF,
        deviation=HALF,
    ),
    VisualFamily(
        model_type="dinov2",
        mechanism="plain",
        blocks="encoder.layer",
        embed=_any_size,
        needs=(NO_MASK,),
        final_norm="layernorm",
        unused=("embeddings.mask_token",),
        prefix=_one,
    ),
    VisualFamily(
        model_type="dinov3_vit",
        mechanism="rotary",
        blocks="model.layer",
        embed=_any_size,
        needs=(PIXEL_ROTARY,),
        final_norm="norm",
        unused=("embeddings.mask_token",),
        prefix=_one_and_registers,
    ),
    VisualFamily(
        model_type="swinv2",
        mechanism="hierarchical",
        blocks="encoder.layers.*.blocks",
        embed=_swin_embed,
        final_norm="layernorm",
        width=_swin_width,
        grid=_swin_grid,
        resizable=False,
    ),
    VisualFamily(
        model_type="videomae",
        mechanism="plain",
        blocks="encoder.layer",
        embed=_tubelets,
        final_norm=_video_norm,
        window=_video_window,
        resizable=False,
    ),
    VisualFamily(
        model_type="pe_video_encoder",
        mechanism="rotary",
        blocks="layers",
        embed=see,
        needs=(PADDING_MASK, ROTARY),
        final_norm=("norm", "output"),
        native_size=_perception_size,
        resizable=False,
        whole=True,
        mean=HALF,
        deviation=HALF,
        standalone=False,
    ),
)
