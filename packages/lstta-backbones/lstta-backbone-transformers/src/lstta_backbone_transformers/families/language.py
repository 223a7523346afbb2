"""The language families."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lstta_backbone_transformers.family import Extras, Features, LanguageFamily
from lstta_backbone_transformers.needs import (
    BIAS_FROM_BLOCK_0,
    CAUSAL_MASK,
    DISENTANGLED,
    IS_CAUSAL,
    NO_MASK,
    PADDING_MASK,
    ROTARY_BY_LAYER,
    SHARED_BIAS,
    TEXT_ROTARY,
    WINDOWED_MASK,
    places_of,
)


def _embeddings(model: Any, features: Features) -> Tensor:
    return model.embeddings(input_ids=features["ids"])


def _masked_embeddings(model: Any, features: Features) -> Tensor:
    return model.embeddings(input_ids=features["ids"], mask=features["mask"])


def _embed_tokens(model: Any, features: Features) -> Tensor:
    return model.embed_tokens(features["ids"])


def _words_and_places(model: Any, features: Features) -> Tensor:
    tokens = model.wte(features["ids"])
    return tokens + model.wpe(places_of(features, tokens))


def _convolution(model: Any, index: int, before: Tensor, after: Tensor, extras: Extras) -> Tensor:
    if index > 0 or model.encoder.conv is None:
        return after
    return model.encoder.conv(before, after, extras["input_mask"])


def _positions(config: Any) -> int:
    return config.max_position_embeddings


def _positions_after_padding(config: Any) -> int:
    # These types count places from the one after the padding id's.
    return config.max_position_embeddings - config.pad_token_id - 1


def _positions_after_one(config: Any) -> int:
    return config.max_position_embeddings - 2


def _no_limit(config: Any) -> None:
    return None


LANGUAGE: tuple[LanguageFamily, ...] = (
    LanguageFamily(
        model_type="bert",
        mechanism="plain",
        blocks="encoder.layer",
        embed=_embeddings,
        needs=(PADDING_MASK,),
        poolers=("pooler",),
        limit=_positions,
    ),
    *(
        LanguageFamily(
            model_type=model_type,
            mechanism="plain",
            blocks="encoder.layer",
            embed=_embeddings,
            needs=(PADDING_MASK,),
            poolers=("pooler",),
            limit=_positions_after_padding,
            standalone=model_type != "clap_text_model",
        )
        for model_type in ("roberta", "xlm-roberta", "clap_text_model")
    ),
    LanguageFamily(
        model_type="deberta-v2",
        mechanism="carried bias",
        blocks="encoder.layer",
        embed=_masked_embeddings,
        needs=(DISENTANGLED,),
        amend=_convolution,
        limit=_positions,
    ),
    LanguageFamily(
        model_type="mpnet",
        mechanism="carried bias",
        blocks="encoder.layer",
        embed=_embeddings,
        needs=(PADDING_MASK, SHARED_BIAS),
        poolers=("pooler",),
        limit=_positions_after_one,
    ),
    LanguageFamily(
        model_type="modernbert",
        mechanism="rotary",
        blocks="layers",
        embed=_embeddings,
        needs=(WINDOWED_MASK, ROTARY_BY_LAYER),
        final_norm="final_norm",
        limit=_positions,
    ),
    LanguageFamily(
        model_type="t5",
        mechanism="carried bias",
        blocks="block",
        embed=_embed_tokens,
        needs=(PADDING_MASK, BIAS_FROM_BLOCK_0),
        final_norm="final_layer_norm",
        limit=_no_limit,
    ),
    LanguageFamily(
        model_type="clip_text_model",
        mechanism="causal",
        blocks="encoder.layers",
        embed=_embeddings,
        needs=(CAUSAL_MASK, IS_CAUSAL),
        final_norm="final_layer_norm",
        limit=_positions,
    ),
    *(
        LanguageFamily(
            model_type=model_type,
            mechanism="plain",
            blocks="encoder.layers",
            embed=_embeddings,
            needs=(NO_MASK,),
            final_norm="final_layer_norm",
            limit=_positions,
            fixed=True,
            standalone=False,
        )
        for model_type in ("siglip_text_model", "siglip2_text_model")
    ),
    *(
        LanguageFamily(
            model_type=model_type,
            mechanism="causal",
            blocks="layers",
            embed=_embed_tokens,
            needs=(CAUSAL_MASK, TEXT_ROTARY),
            final_norm="norm",
            limit=_positions,
        )
        for model_type in ("qwen2", "qwen3", "llama", "gemma", "gemma2", "smollm3")
    ),
    LanguageFamily(
        model_type="gemma3_text",
        mechanism="causal",
        blocks="layers",
        embed=_embed_tokens,
        needs=(CAUSAL_MASK, ROTARY_BY_LAYER),
        final_norm="norm",
        limit=_positions,
    ),
    LanguageFamily(
        model_type="gpt2",
        mechanism="causal",
        blocks="h",
        embed=_words_and_places,
        needs=(CAUSAL_MASK,),
        final_norm="ln_f",
        limit=_positions,
    ),
)
