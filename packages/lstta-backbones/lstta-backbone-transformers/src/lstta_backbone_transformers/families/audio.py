"""The audio families."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_backbone_transformers.family import AudioFamily, Features
from lstta_backbone_transformers.fronts import ASTFront, ClapFront, WaveformFront, WhisperFront
from lstta_backbone_transformers.needs import BIAS_FROM_BLOCK_0, KEY_MASK, NO_MASK, PADDING_MASK, ROTARY
from lstta_backbone_transformers.perception import PerceptionFront, hear


def _ast_embed(model: Any, features: Features) -> Tensor:
    return model.embeddings(features["input"])


def _whisper_embed(model: Any, features: Features) -> Tensor:
    heard = F.gelu(model.conv2(F.gelu(model.conv1(features["input"])))).transpose(1, 2)
    return heard + model.embed_positions.weight[: heard.shape[1]]


def _convolved(model: Any, features: Features) -> Tensor:
    """wav2vec types: features of 20 ms, silence where nothing is heard, and positions convolved over them."""
    tokens = model.feature_projection(model.feature_extractor(features["input"]).transpose(1, 2))
    tokens = tokens[0] if isinstance(tokens, tuple) else tokens
    if "mask" in features:
        tokens = tokens.masked_fill(~features["mask"][..., None], 0)
    tokens = tokens + model.encoder.pos_conv_embed(tokens)
    return tokens if model.config.do_stable_layer_norm else model.encoder.layer_norm(tokens)


def _stable_norm(model: Any) -> str | None:
    return "encoder.layer_norm" if model.config.do_stable_layer_norm else None


def _clap_embed(model: Any, features: Features) -> Tensor:
    encoder = model.audio_encoder
    mel, longer = features["input"], None
    if encoder.enable_fusion:
        # Four copies of a short sound, as the library's extractor gives them, and none that is longer.
        mel, longer = mel.expand(-1, 4, -1, -1), torch.zeros(0, dtype=torch.long, device=mel.device)
    picture = encoder.batch_norm(mel.transpose(1, 3)).transpose(1, 3)
    return encoder.patch_embed(encoder.reshape_mel2img(picture), longer)


def _clap_grid(config: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    stride = config.patch_stride
    down, across = (stride, stride) if isinstance(stride, int) else stride
    return (config.spec_size // down, config.spec_size // across)


def _clap_width(config: Any) -> int:
    return config.patch_embeds_hidden_size


AUDIO: tuple[AudioFamily, ...] = (
    AudioFamily(
        model_type="audio-spectrogram-transformer",
        mechanism="plain",
        blocks="layers",
        embed=_ast_embed,
        needs=(NO_MASK,),
        final_norm="layernorm",
        front=ASTFront,
    ),
    AudioFamily(
        model_type="whisper",
        mechanism="plain",
        blocks="layers",
        embed=_whisper_embed,
        needs=(NO_MASK,),
        final_norm="layer_norm",
        front=WhisperFront,
    ),
    *(
        AudioFamily(
            model_type=model_type,
            mechanism="masked convolution",
            blocks="encoder.layers",
            embed=_convolved,
            needs=(PADDING_MASK,),
            final_norm=_stable_norm,
            unused=("masked_spec_embed",),
            front=WaveformFront,
        )
        for model_type in ("wav2vec2", "hubert")
    ),
    AudioFamily(
        model_type="wavlm",
        mechanism="carried bias",
        blocks="encoder.layers",
        embed=_convolved,
        needs=(KEY_MASK, BIAS_FROM_BLOCK_0),
        final_norm=_stable_norm,
        unused=("masked_spec_embed",),
        front=WaveformFront,
    ),
    AudioFamily(
        model_type="clap_audio_model",
        mechanism="hierarchical",
        blocks="audio_encoder.layers.*.blocks",
        embed=_clap_embed,
        final_norm="audio_encoder.norm",
        width=_clap_width,
        grid=_clap_grid,
        front=ClapFront,
        standalone=False,
    ),
    AudioFamily(
        model_type="pe_audio_encoder",
        mechanism="rotary",
        blocks="layers",
        embed=hear,
        needs=(PADDING_MASK, ROTARY),
        final_norm=("norm", "output"),
        front=PerceptionFront,
        standalone=False,
    ),
)
