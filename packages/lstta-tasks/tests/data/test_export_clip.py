"""What is exported is what the clip holds."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from PIL import Image

from lstta_tasks.data.clip import Clip
from lstta_tasks.data.export_clip import export_clip


def make(*, has_video: bool = True) -> Clip:
    random = np.random.default_rng(0)
    return Clip(
        frames=random.integers(0, 256, (3, 2, 5, 7, 3), dtype=np.uint8),
        frame_times=np.arange(6.0).reshape(3, 2) / 4,
        sound=random.integers(-999, 999, (3, 11), dtype=np.int16),
        sound_length=np.array([11, 5, 0]),
        has_video=has_video,
        has_sound=True,
        duration=1.5,
    )


def test_frames_and_sound_come_back(tmp_path: Path) -> None:
    clip = make()
    written = export_clip(clip, tmp_path / "out", 8_000)
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    assert len(written) == 6 + 2
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "out/segment-01-frame-01-at-0.75s.png")), clip.frames[1, 1]
    )
    with wave.open(str(tmp_path / "out/segment-01.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8_000, 1, 5)
        np.testing.assert_array_equal(np.frombuffer(file.readframes(5), "<i2"), clip.sound[1, :5])


def test_a_clip_without_pictures_writes_none(tmp_path: Path) -> None:
    assert {path.suffix for path in export_clip(make(has_video=False), tmp_path, 8_000)} == {".wav"}
