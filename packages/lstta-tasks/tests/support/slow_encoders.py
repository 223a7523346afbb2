"""The small sight encoder, with time enough in each clip to kill who computes it."""

from __future__ import annotations

import time
from typing import Any

import seeded_encoders


def visual(*, seed: int) -> Any:
    """That of ``seeded_encoders``."""
    encoder = seeded_encoders.visual(seed=seed)
    embed = encoder.embed

    def slowly(inputs: Any) -> Any:
        time.sleep(0.3)
        return embed(inputs)

    encoder.embed = slowly  # type: ignore[method-assign]
    return encoder
