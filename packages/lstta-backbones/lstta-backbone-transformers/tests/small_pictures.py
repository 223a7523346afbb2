"""Visual families that hear: the small models of ``small_models`` as audio encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import transformers
from lstta_transformers_small_configs import SWIN, VISION  # as conftest.py calls it
from lstta_transformers_small_models import Case, clip
from torch import nn

from lstta_backbone_transformers.audio import AudioEncoder
from lstta_backbone_transformers.families import FAMILIES, parts_of
from lstta_backbone_transformers.pictures import hearing
from lstta_core import Encoder, Modality

t: Any = transformers


@dataclass(frozen=True)
class PictureCase(Case):
    """A visual family that is shown sound. ``options`` are those of ``load.sound_as_picture``."""

    def part(self, model: Any) -> Any:
        return model.get_submodule(parts_of(model.config.model_type)[Modality.VISUAL])

    def encoder(self, model: nn.Module) -> Encoder:
        part, options = self.part(model), dict(self.options)
        seconds = options.pop("seconds", None)
        family: Any = FAMILIES[part.config.model_type]
        heard = hearing(family, **options)
        return AudioEncoder(model=part, family=heard, span="segment", seconds=seconds).eval()


PICTURE_CASES = (
    PictureCase("vit-hears", lambda: t.ViTConfig(**VISION), Modality.AUDIO),
    PictureCase("clip-hears", clip, Modality.AUDIO),
    PictureCase("dinov2-hears", lambda: t.Dinov2Config(**VISION), Modality.AUDIO, options={"size": (25, 15)}),
    PictureCase(
        "dinov3-hears",
        lambda: t.DINOv3ViTConfig(**{**VISION, "hidden_size": 24, "num_attention_heads": 3, "num_register_tokens": 2}),
        Modality.AUDIO,
        options={"size": (20, 15), "seconds": 0.31},
    ),
    PictureCase("swinv2-hears", lambda: t.Swinv2Config(**SWIN), Modality.AUDIO, options={"seconds": 0.5}),
)
