"""Registers the encoder. Nothing heavy is imported here, so that listing plugins stays quick."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    register(
        "template-visual",
        "lstta_backbone_template.encoder:TemplateVisual",
        modality="visual",
        summary="convolutions, widths 24, 48, 96, 96, fixed random weights",
    )
