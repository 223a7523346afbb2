"""PE-AV's two towers from small random configurations, and the library's own forward of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import transformers
from lstta_transformers_small_configs import IDS, TEXT, VISION  # as conftest.py calls it
from lstta_transformers_small_models import Case
from torch import Tensor

from lstta_core import Modality

t: Any = transformers
TOWER = {"hidden_size": 12, "intermediate_size": 13, "num_hidden_layers": 3, "num_attention_heads": 2, "head_dim": 6}
DAC = {"encoder_hidden_size": 3, "downsampling_ratios": [2, 10], "codebook_dim": 5}
WORDS = {"model_type": "modernbert", **TEXT, **IDS, "cls_token_id": 0, "sep_token_id": 3, "hidden_size": 12}
SETTINGS = {"sampling_rate": 1000, "hop_length": 20}


def hears() -> Any:
    return t.PeAudioEncoderConfig(dac_config=DAC, **TOWER)


def sees() -> Any:
    """With a ViT where a checkpoint has a model of timm's."""
    return t.PeVideoEncoderConfig(vision_config=t.ViTConfig(**VISION, num_labels=7), **TOWER)


def both() -> Any:
    towers = t.PeAudioVideoEncoderConfig(audio_config=hears(), video_config=sees(), **TOWER)
    return t.PeAudioVideoConfig(text_config=WORDS, audio_video_config=towers)


def with_class(output: Any) -> Tensor:
    return torch.cat([output.pooler_output[:, None], output.last_hidden_state], 1)


def sound(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"input_values": features["input"], "padding_mask": features["samples"]}


class FrameCase(Case):
    """The tower of sight, which reads the frames of a clip in one row."""

    def reference(self, encoder: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        pixels = encoder.pixels(inputs["frames"].flatten(1, 2)).to(next(encoder.parameters()).dtype)
        with torch.no_grad():
            return with_class(encoder.model(pixels, padding_mask_videos=inputs["mask"].flatten(1).long()))


PERCEPTION_CASES = (
    Case(
        "pe-audio",
        lambda: t.PeAudioConfig(text_config=WORDS, audio_config=hears()),
        Modality.AUDIO,
        options={"settings": SETTINGS, "span": "segment"},
        arguments=sound,
        tokens=with_class,
    ),
    Case(
        "pe-av-audio",
        both,
        Modality.AUDIO,
        options={"settings": SETTINGS, "span": "clip"},
        arguments=sound,
        tokens=with_class,
    ),
    FrameCase("pe-av-video", both, Modality.VISUAL, options={"frames_per_segment": 2}),
)
