"""Small pretrained encoders, weights included: for the demo, for tests, and as an example of a plugin."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    summary = "4 blocks × 128, pretrained on the built-in world"
    register("tiny-visual", "lstta_backbone_tiny.encoders:visual", modality="visual", summary=summary)
    register("tiny-audio", "lstta_backbone_tiny.encoders:audio", modality="audio", summary=summary)
    heard = "tiny-visual that is shown the log-mel of each segment, as LAVISH does"
    register("tiny-sound-as-picture", "lstta_backbone_tiny.hearing:sound_as_picture", modality="audio", summary=heard)
    said = "4 blocks × 128 that say the next word, pretrained on the built-in world's sentences"
    register("tiny-speaker", "lstta_backbone_tiny.speaker:speaker", modality="language", summary=said)
    register("tiny-language", "lstta_backbone_tiny.encoders:language", modality="language", summary=summary)
