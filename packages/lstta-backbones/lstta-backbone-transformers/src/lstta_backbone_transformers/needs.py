"""What blocks need besides tokens: masks, rotary tables, position biases. Each mechanism is built of these.

Masks are always materialised: leaving one out where nothing is padded would mean looking at values, which waits for
the device. A row without any valid token attends to all of its tokens, since attention over nothing is not a number;
the state's mask still says that they hold no content.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.masking_utils import (
    create_bidirectional_mask,
    create_bidirectional_sliding_window_mask,
    create_causal_mask,
    create_sliding_window_causal_mask,
)

from lstta_backbone_transformers.family import Extras, Features, Need
from lstta_core.speaking import attendable


def _attendable(features: Features) -> Tensor | None:
    mask = features.get("mask")
    return None if mask is None else mask | ~mask.any(1, keepdim=True)


def _tensor(mask: object) -> Tensor:
    if not isinstance(mask, Tensor):
        raise TypeError(f"this attention implementation masks with {type(mask).__name__}: use 'sdpa' or 'eager'")
    return mask


def _nothing(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    return {}


def _bidirectional(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    mask = _attendable(features)
    if mask is None:
        return {}
    return {
        "attention_mask": _tensor(
            create_bidirectional_mask(model.config, tokens, mask, allow_is_bidirectional_skip=False)
        )
    }


def _same(extras: Extras, count: int) -> Extras:
    return {}


def _wider(extras: Extras, count: int) -> Extras:
    """A mask (R, 1, 1 or M, M), in which all tokens of a row may read the same."""
    mask = extras.get("attention_mask")
    if mask is None:
        return {}
    keys = F.pad(mask, (count, 0), value=mask.dtype == torch.bool)  # to read is True, or adds 0
    more = count if mask.shape[2] > 1 else 0
    return {"attention_mask": torch.cat([keys[:, :, :1].expand(-1, -1, more, -1), keys], 2)}


def _attention_mask(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {"attention_mask": extras.get("attention_mask")}


NO_MASK = Need(prepare=_nothing, arguments=_attention_mask, more=_same)
"""The block takes an attention mask and never gets one: all tokens of a row are valid."""

PADDING_MASK = Need(prepare=_bidirectional, arguments=_attention_mask, more=_wider)
"""Every token attends to every valid token."""


def _causal(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    if "past" in features:
        return _behind_the_past(model, features, tokens)
    # The last is the cache of earlier tokens, called past_key_values up to transformers 5.23 and cache from 5.24 on.
    given = (model.config, tokens, _attendable(features), None)
    masks = {"full_attention": _tensor(create_causal_mask(*given, allow_is_causal_skip=False))}
    if "sliding_attention" in _layer_types(model):
        masks["sliding_attention"] = _tensor(create_sliding_window_causal_mask(*given, allow_is_causal_skip=False))
    return masks


def _behind_the_past(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    """Masks of tokens behind others whose keys are kept. The library's own would count padding among those."""
    windows = {"full_attention": None, "sliding_attention": getattr(model.config, "sliding_window", None)}
    masks = {}
    for kind in {"full_attention", *_layer_types(model)}:
        mask = attendable(features["mask"], features["past"], windows[kind])
        if model.config._attn_implementation == "eager":  # which adds its mask to the scores
            mask = torch.zeros_like(mask, dtype=tokens.dtype).masked_fill(~mask, torch.finfo(tokens.dtype).min)
        masks[kind] = mask
    return masks


def _bidirectional_by_layer(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    arguments = {
        "config": model.config,
        "inputs_embeds": tokens,
        "attention_mask": _attendable(features),
        "allow_is_bidirectional_skip": False,
    }
    return {
        "full_attention": _tensor(create_bidirectional_mask(**arguments)),
        "sliding_attention": _tensor(create_bidirectional_sliding_window_mask(**arguments)),
    }


def _mask_of_layer(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    types = _layer_types(model)
    return {"attention_mask": extras[types[index] if types else "full_attention"]}


def _layer_types(model: Any) -> list[str]:
    return getattr(model.config, "layer_types", None) or []


CAUSAL_MASK = Need(prepare=_causal, arguments=_mask_of_layer)
"""Every token attends to the valid ones before it; in a sliding window where the configuration says so."""

WINDOWED_MASK = Need(prepare=_bidirectional_by_layer, arguments=_mask_of_layer)
"""Every token attends to every valid one, in some layers only within a window (ModernBERT)."""


def _pixel_rotary(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    cos, sin = model.rope_embeddings(features["pixels"])
    return {"cos": cos, "sin": sin}


def _tables(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {"position_embeddings": (extras["cos"], extras["sin"])}


PIXEL_ROTARY = Need(prepare=_pixel_rotary, arguments=_tables, more=_same)
"""Rotary tables of the patches' places in the picture, which turn the last tokens of a row alone (DINOv3)."""


def places_of(features: Features, tokens: Tensor) -> Tensor:
    """(1 or R, M), where in its text each token stands."""
    return features.get("places", torch.arange(tokens.shape[1], device=tokens.device)[None])


def _text_rotary(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    places = places_of(features, tokens)
    cos, sin = model.rotary_emb(tokens, position_ids=places)
    return {"cos": cos, "sin": sin, "position_ids": places}


def _tables_and_places(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {**_tables(model, index, extras), "position_ids": extras["position_ids"]}


TEXT_ROTARY = Need(prepare=_text_rotary, arguments=_tables_and_places)
"""Rotary tables of the places in the text (Qwen, Llama, Gemma, SmolLM)."""


ROTARY = Need(prepare=_text_rotary, arguments=_tables)
"""Rotary tables of the places in the row (PE-AV)."""


def _rotary_by_layer(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    tables = {}
    for kind in sorted(set(_layer_types(model))):
        tables[f"{kind}_cos"], tables[f"{kind}_sin"] = model.rotary_emb(tokens, places_of(features, tokens), kind)
    return tables


def _tables_of_layer(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    kind = _layer_types(model)[index]
    return {"position_embeddings": (extras[f"{kind}_cos"], extras[f"{kind}_sin"])}


ROTARY_BY_LAYER = Need(prepare=_rotary_by_layer, arguments=_tables_of_layer)
"""Two kinds of rotary tables, for layers that see everything and for those that see a window (ModernBERT, Gemma 3)."""


def _position_bias(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {"position_bias": extras.get("position_bias")}


BIAS_FROM_BLOCK_0 = Need(prepare=_nothing, arguments=_position_bias, carries={"position_bias": 1})
"""Block 0 computes a position bias and returns it for the others (T5, WavLM)."""


def _shared_bias(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    return {"position_bias": model.encoder.compute_position_bias(tokens)}


SHARED_BIAS = Need(prepare=_shared_bias, arguments=_position_bias)
"""A position bias computed once before the blocks (MPNet)."""


def _key_mask(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    mask = _attendable(features)
    return {} if mask is None else {"attention_mask": mask}


KEY_MASK = Need(prepare=_key_mask, arguments=_attention_mask)
"""The mask of valid tokens (R, M) as it is; the block expands it by itself (WavLM)."""


def _disentangled(model: Any, features: Features, tokens: Tensor) -> dict[str, Tensor]:
    mask = _attendable(features)
    assert mask is not None, "a language encoder always has a mask"
    extras = {"input_mask": mask.long(), "attention_mask": model.encoder.get_attention_mask(mask.long())}
    if model.encoder.relative_attention:
        extras["relative_pos"] = model.encoder.get_rel_pos(tokens)
        extras["rel_embeddings"] = model.encoder.get_rel_embedding()
    return extras


def _disentangled_arguments(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {name: extras.get(name) for name in ("attention_mask", "relative_pos", "rel_embeddings")}


DISENTANGLED = Need(prepare=_disentangled, arguments=_disentangled_arguments)
"""A mask of pairs, relative places and their embeddings (DeBERTa)."""


def _always_causal(model: Any, index: int, extras: Extras) -> dict[str, Any]:
    return {"is_causal": True}


IS_CAUSAL = Need(prepare=_nothing, arguments=_always_causal)
"""The flag that says so (CLIP text)."""
