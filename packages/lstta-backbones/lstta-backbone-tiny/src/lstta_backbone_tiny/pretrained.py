"""The encoders with the weights that ship in this package: half precision on disk, float32 in memory."""

from __future__ import annotations

import json
from importlib.resources import as_file, files

from safetensors.torch import load_file

from lstta_backbone_tiny.audio import TinyAudio
from lstta_backbone_tiny.language import TinyLanguage
from lstta_backbone_tiny.visual import TinyVisual
from lstta_core.interfaces import Encoder

WEIGHTS = files("lstta_backbone_tiny") / "weights"


def visual() -> TinyVisual:
    """The pretrained visual encoder."""
    encoder = TinyVisual()
    _load(encoder, "visual")
    return encoder


def audio() -> TinyAudio:
    """The pretrained audio encoder."""
    encoder = TinyAudio()
    _load(encoder, "audio")
    return encoder


def language() -> TinyLanguage:
    """The pretrained language encoder."""
    encoder = TinyLanguage(words=json.loads((WEIGHTS / "words.json").read_text(encoding="utf-8")))
    _load(encoder, "language")
    return encoder


def _load(encoder: Encoder, name: str) -> None:
    with as_file(WEIGHTS / f"{name}.safetensors") as path:
        tensors = load_file(path)
    encoder.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    encoder.name, encoder.licence = f"lstta-backbone-tiny/{name}", "Apache-2.0"
