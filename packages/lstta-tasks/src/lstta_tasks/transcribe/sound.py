"""All of a file's sound, on the clock of its pictures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data.clip import ClipSource

AT_ONCE = 30  # seconds that are read at once


def whole_sound(path: Path, rate: int) -> NDArray[np.int16]:
    """(n,) int16, mono, from the first picture to the sound's end, or all of a file without pictures; silence where the
    sound begins later, and nothing where there is none.

    Raises:
        DecodeError: the file cannot be read.
    """
    from lstta_tasks.data.decode import find
    from lstta_tasks.data.sound import SoundReader
    from lstta_tasks.data.tracks import reasons

    pictures, sound, _ = find(ClipSource(id=path.name, video=path))
    if sound is None:
        return np.zeros(0, np.int16)
    start = sound.start if pictures is None else pictures.start
    total = max(0, round((sound.end - start) * rate))
    parts = []
    with reasons(path), closing(SoundReader(sound, start, rate)) as reader:
        for first in range(0, total, AT_ONCE * rate):
            samples, valid = reader.read(first, min(AT_ONCE * rate, total - first))
            parts.append(samples[:valid])
            if valid < len(samples):
                break
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)
