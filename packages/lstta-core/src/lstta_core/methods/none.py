"""No adapter at all: only the readout trains (late fusion of the frozen encoders)."""

from __future__ import annotations

from collections.abc import Mapping

from lstta_core.interfaces import Encoder, EncoderChange, Method, Modality, Stage


class NoAdapter(Method):
    """Trains nothing in the model, which leaves the readout and the head."""

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        return EncoderChange()

    def adapter(self, stage: Stage) -> None:
        return None
