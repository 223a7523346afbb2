"""When what was put into a media file is seen and heard in a decoded clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstta_tasks.data.clip import Clip, Preprocessing

CLICKS = (0.4, 1.3, 2.7)
FLASH = 1.4
SETTINGS = Preprocessing(segments=3, frames_per_segment=25, frame_size=(14, 22), sample_rate=16_000, sound_seconds=1.0)


def settings(**changes: Any) -> Preprocessing:
    base = {name: getattr(SETTINGS, name) for name in SETTINGS.__dataclass_fields__}
    return Preprocessing(**{**base, **changes})


def flash_time(clip: Clip) -> float:
    """When the first white picture of a clip came on."""
    white = clip.frames.reshape(-1, *clip.frames.shape[2:]).mean((1, 2, 3)) > 240
    assert white.any()
    return float(clip.frame_times.reshape(-1)[white.argmax()])


def heard(clip: Clip, preprocessing: Preprocessing) -> list[float]:
    """When the loudest sample of each segment is heard, from where the segment's sound was taken."""
    span = clip.duration / preprocessing.segments
    times = []
    for segment in range(preprocessing.segments):
        kept = min(span, preprocessing.sound_seconds)
        begin = segment * span + (span - kept) / 2
        times.append(begin + float(np.abs(clip.sound[segment].astype(int)).argmax()) / preprocessing.sample_rate)
    return times


def assert_pictures_are_of_their_times(clip: Clip, media: Any, start: float = 0.0) -> None:
    """The grey of each frame is that of the picture which came at the frame's time."""
    seen = clip.frames.mean((2, 3, 4))
    wanted = np.vectorize(media.grey)(clip.frame_times + start)
    white = seen > 240
    np.testing.assert_allclose(np.where(white, wanted, seen), wanted, atol=3)
