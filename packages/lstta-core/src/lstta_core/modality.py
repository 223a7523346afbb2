"""The three kinds of input."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """The three kinds of input. The order of the members is the order in which core runs the encoders."""

    VISUAL = "visual"
    AUDIO = "audio"
    LANGUAGE = "language"


TIMED = (Modality.VISUAL, Modality.AUDIO)
"""The modalities whose streams always have all T segments of the clip."""
