"""BEATs (Chen et al. 2022) as an audio encoder. This module only registers a name; nothing heavy is imported."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    summary = "BEATs from a published checkpoint file, 50 patches a second"
    register("beats", "lstta_backbone_beats.encoder:beats", modality="audio", summary=summary)
