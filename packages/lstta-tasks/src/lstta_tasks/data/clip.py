"""Where a clip comes from, and a decoded clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class DecodeError(ValueError):
    """A clip cannot be decoded. The message names the file and the reason."""


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


@dataclass(frozen=True, eq=False)
class Clip:
    """A decoded clip of T segments with F frames each.

    Attributes:
        frames: (T, F, H, W, 3), uint8, RGB. Zeros without video.
        frame_times: (T, F), float64: when each frame came on the screen, in seconds from the clip's start. Slightly
            negative where the first frame was there before the clip began. Zeros without video.
        sound: (T, n), int16, mono: the samples of each segment, then zeros.
        sound_length: (T,), int64: how many samples of each segment are valid.
        has_video: whether the clip has pictures.
        has_sound: whether the clip has any samples.
        duration: in seconds; the video's where there is one, else the sound's.
    """

    frames: NDArray[np.uint8]
    frame_times: NDArray[np.float64]
    sound: NDArray[np.int16]
    sound_length: NDArray[np.int64]
    has_video: bool
    has_sound: bool
    duration: float
