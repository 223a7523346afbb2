from __future__ import annotations

from lstta_backbone_template.encoder import TemplateVisual
from lstta_core import Encoder
from lstta_core.testing import EncoderConformance


class TestTemplateVisual(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return TemplateVisual()
