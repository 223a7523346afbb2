"""The table of families: which architectures there are, and which parts a bimodal checkpoint has."""

from __future__ import annotations

from lstta_backbone_transformers.families.audio import AUDIO
from lstta_backbone_transformers.families.language import LANGUAGE
from lstta_backbone_transformers.families.visual import VISUAL
from lstta_backbone_transformers.family import AudioFamily, LanguageFamily, VisualFamily
from lstta_core.interfaces import Modality

AnyFamily = VisualFamily | AudioFamily | LanguageFamily

_ALL: tuple[AnyFamily, ...] = (*VISUAL, *AUDIO, *LANGUAGE)
FAMILIES = {family.model_type: family for family in _ALL}
"""By the library's model type."""

PARTS: dict[str, dict[Modality, str]] = {
    "clip": {Modality.VISUAL: "vision_model", Modality.LANGUAGE: "text_model"},
    "siglip": {Modality.VISUAL: "vision_model", Modality.LANGUAGE: "text_model"},
    "siglip2": {Modality.VISUAL: "vision_model", Modality.LANGUAGE: "text_model"},
    "clap": {Modality.AUDIO: "audio_model", Modality.LANGUAGE: "text_model"},
    "pe_audio": {Modality.AUDIO: "audio_encoder", Modality.LANGUAGE: "text_model"},
    "pe_video": {Modality.VISUAL: "video_encoder", Modality.LANGUAGE: "text_model"},
    "pe_audio_video": {
        Modality.VISUAL: "video_model.video_encoder",
        Modality.AUDIO: "audio_model.audio_encoder",
        Modality.LANGUAGE: "text_model",
    },
    "whisper": {Modality.AUDIO: "encoder"},
    "t5": {Modality.LANGUAGE: "encoder"},
}
"""Where in a checkpoint's model the encoders are; all of it is one encoder where nothing is said."""

LOADERS = {"t5": "T5EncoderModel"}
"""The library's class that loads a checkpoint, where it is not ``AutoModel``."""

NEEDS_TIMM = ("pe_video", "pe_audio_video")
"""The model types of checkpoints whose vision model is timm's, which the library loads through it."""


def parts_of(model_type: str) -> dict[Modality, str]:
    """The encoders in a checkpoint of this model type, and their paths; empty where it is not supported."""
    if model_type in PARTS:
        return PARTS[model_type]
    family = FAMILIES.get(model_type)
    return {family.modality: ""} if family is not None and family.standalone else {}


def supported(modality: Modality) -> list[str]:
    """The model types of checkpoints that have an encoder of this modality, sorted."""
    return sorted(name for name in {*FAMILIES, *PARTS} if modality in parts_of(name))
