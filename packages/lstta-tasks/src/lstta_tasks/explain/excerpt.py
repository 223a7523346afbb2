"""What a clip looks and sounds like, for pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.preprocessing import sound_spans

HEIGHT = 180
"""Of a frame in pixels."""

MOST_SECONDS = 1800.0
"""Of sound that is kept for a drawing: all of a clip that is no longer, else as much, from the segments' middles."""


@dataclass(frozen=True)
class Media:
    """A decoded clip, and what of its sound the model heard.

    Attributes:
        clip: whose frames are those that the model saw, perhaps larger.
        preprocessing: that it was decoded with.
        heard: (start, end) in seconds of the sound that the model heard, a span a segment.
    """

    clip: Clip
    preprocessing: Preprocessing
    heard: Sequence[tuple[float, float]]

    @property
    def hears_all(self) -> bool:
        """Whether there is no sound between the spans that were heard."""
        return sum(end - start for start, end in self.heard) > 0.99 * self.clip.duration

    def strip(
        self, most: int = 10, *, outlined: tuple[float, float] | None = None
    ) -> list[tuple[float, float, NDArray[np.uint8]]]:
        """Frames side by side, at most so many: (start, end) of their place in seconds, and pixels (H, W, 3).

        Where one stands for several segments, it is of the outlined one among them, else of their middle.
        """
        segments, frames = self.clip.frames.shape[:2]
        edges = np.linspace(0, self.clip.duration, segments + 1)
        every = -(-segments // most)
        shown = []
        for first in range(0, segments, every):
            after = min(first + every, segments)
            chosen = (first + after - 1) // 2
            if outlined is not None and edges[first] <= (middle := sum(outlined) / 2) < edges[after]:
                chosen = int(np.searchsorted(edges, middle, side="right")) - 1
            shown.append((float(edges[first]), float(edges[after]), self.clip.frames[chosen, frames // 2]))
        return shown

    @property
    def samples(self) -> int:
        """How many the clip's sound has from its beginning to its end, known or not."""
        return round(self.clip.duration * self.preprocessing.sample_rate)

    def sound(self) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """All of the clip's samples in a row, int16, and which of them are known; silence where they are not.

        Its size is the clip's length: look at ``samples`` first, or take :meth:`sound_at`.
        """
        return self.sound_at(np.arange(self.samples))

    def sound_at(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """The samples at any places, (…,), as int16, and which of them are known; silence where they are not."""
        spans = np.array(sound_spans(self.preprocessing, self.clip.duration), np.int64)
        lengths = np.minimum(spans[:, 1], self.clip.sound_length)
        segment = (np.searchsorted(spans[:, 0], places, side="right") - 1).clip(0)
        inside = places - spans[segment, 0]
        is_known = (inside >= 0) & (inside < lengths[segment]) & (places < self.samples)
        line = np.zeros(places.shape, np.int16)
        line[is_known] = self.clip.sound[segment[is_known], inside[is_known]]
        return line, is_known


def media_of(clip: Clip, preprocessing: Preprocessing) -> Media:
    """A clip as the model gets it."""
    return Media(clip, preprocessing, _heard(preprocessing, clip.duration))


def read_media(source: ClipSource, preprocessing: Preprocessing, duration: float) -> Media:
    """Decode a clip for people: the same frames, larger, and all of its sound, or half an hour of it.

    Args:
        source: of the clip.
        preprocessing: of the model.
        duration: of the clip, in seconds, as it was decoded for the model.

    Raises:
        DecodeError: it cannot be read.
    """
    from lstta_tasks.data.decode import decode_clip

    height, width = preprocessing.frame_size
    larger = max(1.0, HEIGHT / height)
    shown = replace(
        preprocessing,
        frame_size=(round(height * larger), round(width * larger)),
        sound_seconds=min(duration, MOST_SECONDS) / preprocessing.segments + 2 / preprocessing.sample_rate,
    )
    return Media(decode_clip(source, shown), shown, _heard(preprocessing, duration))


def _heard(preprocessing: Preprocessing, duration: float) -> list[tuple[float, float]]:
    rate = preprocessing.sample_rate
    return [(first / rate, (first + count) / rate) for first, count in sound_spans(preprocessing, duration)]
