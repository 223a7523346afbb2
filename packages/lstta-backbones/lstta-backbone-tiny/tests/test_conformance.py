"""The suite that core ships for every encoder."""

from __future__ import annotations

from lstta_backbone_tiny import encoders, hearing
from lstta_core import Encoder
from lstta_core.testing import EncoderConformance


class TestTinyVisual(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return encoders.visual()


class TestTinyAudio(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return encoders.audio()


class TestTinyLanguage(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return encoders.language()


class TestTinySoundAsPicture(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return hearing.sound_as_picture()
