"""A clip: where it comes from, and what is kept of it. What decoding makes of it is in ``decoded``."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from lstta_tasks.data.decoded import Clip as Clip
from lstta_tasks.data.decoded import DecodeError as DecodeError

Fit = Literal["crop", "squash", "pad"]

# Raised by one whenever decoding gives other pixels or samples for the same settings: caches are then built anew.
DECODING_VERSION = 2

MOST_BYTES = 1 << 28
"""Of a decoded clip: far more than any model reads, and less than would bring a machine down."""


@dataclass(frozen=True)
class ClipSource:
    """The media of one clip.

    Times count from the first picture of the video, or from the first sample where there is no video.

    Attributes:
        id: names the clip in caches and annotations.
        video: a file with pictures, None for sound alone.
        sound: a sound file beside the video, starting with its first picture. None for the video's own sound.
        start: where the clip begins in its files, in seconds; None for their beginning.
        end: where it ends, in seconds; None, or a time past the end, for the end of the file.

    Raises:
        ValueError: neither file is given, or the times are no span.
    """

    id: str
    video: Path | None = None
    sound: Path | None = None
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a clip needs an id that is not empty")
        try:
            self.id.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"the clip id {self.id!r} is no Unicode text: {error.reason}") from error
        if self.video is None and self.sound is None:
            raise ValueError(f"clip {self.id!r} has neither a video nor a sound file")
        start = 0.0 if self.start is None else self.start
        end = math.inf if self.end is None else self.end
        if not (math.isfinite(start) and 0 <= start < end):
            raise ValueError(f"clip {self.id!r} runs from {self.start} to {self.end} seconds, which is no span of time")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The settings that decoding needs. Two caches fit together when these are equal.

    A clip is cut into ``segments`` equal spans. Of each, ``frames_per_segment`` frames are taken at the centres of
    as many equal parts, and up to ``sound_seconds`` of sound from its middle.

    Attributes:
        segments: T.
        frames_per_segment: F.
        frame_size: (height, width) in pixels.
        fit: ``"crop"`` fills the frame and cuts what stands over, centred; ``"squash"`` keeps the whole picture and
            not its shape; ``"pad"`` keeps both and adds black bars.
        sample_rate: of the sound, in Hz.
        sound_seconds: the longest sound kept of a segment. A shorter segment keeps all it has.

    Raises:
        ValueError: a value that no clip could be decoded with.
    """

    segments: int
    frames_per_segment: int = 1
    frame_size: tuple[int, int]
    fit: Fit = "crop"
    sample_rate: int
    sound_seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame_size", tuple(self.frame_size))
        object.__setattr__(self, "sound_seconds", float(self.sound_seconds))
        for name in ("segments", "frames_per_segment", "sample_rate"):
            _check_count(name, getattr(self, name))
        if len(self.frame_size) != 2:
            raise ValueError(f"frame_size must be (height, width), got {self.frame_size}")
        for side in self.frame_size:
            _check_count("each side of frame_size", side)
        if self.fit not in get_args(Fit):
            raise ValueError(f"fit must be one of {', '.join(get_args(Fit))}, got {self.fit!r}")
        if not math.isfinite(self.sample_rate * self.sound_seconds) or self.sound_samples < 1:
            raise ValueError(
                f"sound_seconds must give at least one sample at {self.sample_rate} Hz, got {self.sound_seconds}"
            )
        pixels = self.frames_per_segment * self.frame_size[0] * self.frame_size[1]
        if (size := self.segments * (3 * pixels + 2 * self.sound_samples)) > MOST_BYTES:
            raise ValueError(
                f"a clip of {self.segments} segments, each {self.frames_per_segment} frames of {self.frame_size} and "
                f"{self.sound_samples:,} samples of sound, has {size:,} bytes; {MOST_BYTES:,} at most are decoded"
            )

    @property
    def sound_samples(self) -> int:
        """n, the number of samples kept of a segment."""
        return round(self.sample_rate * self.sound_seconds)

    def fingerprint(self) -> str:
        """64 hexadecimal digits that change when any setting, or the way of decoding, changes."""
        text = json.dumps({"decoding": DECODING_VERSION, **asdict(self)}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
