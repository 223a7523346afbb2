"""Write a clip as files that anybody can look at and listen to."""

from __future__ import annotations

import wave
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstta_core.whole_files import write_whole
from lstta_tasks.data.clip import Clip


def export_clip(clip: Clip, folder: Path | str, sample_rate: int) -> list[Path]:
    """Write each frame as a PNG and the sound of each segment as a WAV, and return their paths.

    Args:
        clip: what a cache returned.
        folder: made where it is missing; files of the same names are replaced.
        sample_rate: of the clip's sound, in Hz.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for segment in range(len(clip.frames)):
        if clip.has_video:
            for number, frame in enumerate(clip.frames[segment]):
                time = clip.frame_times[segment, number]
                written.append(folder / f"segment-{segment:02}-frame-{number:02}-at-{time:.2f}s.png")
                write_whole(written[-1], partial(Image.fromarray(frame).save, format="png"))
        if clip.sound_length[segment]:
            written.append(folder / f"segment-{segment:02}.wav")
            write_whole(
                written[-1], partial(_write_wave, clip.sound[segment, : clip.sound_length[segment]], sample_rate)
            )
    return written


def _write_wave(sound: NDArray[np.int16], sample_rate: int, path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(sound.astype("<i2").tobytes())
