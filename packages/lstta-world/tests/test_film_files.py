from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lstta_world.film_files import write_film, write_mp4
from lstta_world.render import draw_frame
from lstta_world.scene import Scene


def decode(path: Path) -> tuple[list[float], NDArray[np.uint8], NDArray[np.float32], float]:
    """Times of frames, frames, sound, and the time of its first sample."""
    with av.open(str(path)) as container:
        frames = [(float(f.time or 0), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        parts = list(container.decode(audio=0))
    sound = np.concatenate([part.to_ndarray()[0] for part in parts])
    return [t for t, _ in frames], np.stack([f for _, f in frames]), sound, float(parts[0].time or 0)


def test_pictures_and_sound_come_back_in_time(duet: Scene, tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", duet)
    times, frames, sound, begin = decode(tmp_path / "a.mp4")
    np.testing.assert_allclose(times, np.arange(64) / 8, atol=1e-3)
    assert frames.shape == (64, 144, 240, 3)
    for k in (0, 10, 63):
        assert np.abs(frames[k].astype(int) - draw_frame(duet, k / 8)).mean() < 8
    assert len(sound) / 16_000 + begin == pytest.approx(8.0, abs=0.1)
    # The violin breaks a silence at 1 s, the piano at 5 s: seen and heard there.
    for onset, third in ((1.0, slice(0, 80)), (5.0, slice(160, 240))):
        level = [_rms(sound, begin, t) for t in onset + np.arange(-0.3, 0.3, 0.02)]
        heard = onset - 0.3 + 0.02 * next(i for i, value in enumerate(level) if value > 0.01)
        assert heard == pytest.approx(onset, abs=0.06)
        k = round(onset * 8)
        moved = np.abs(np.diff(frames[k - 3 : k + 3, :, third].astype(int), axis=0)).mean(axis=(1, 2, 3))
        assert moved[:2].max() < 1.5
        assert moved[2:].max() > 3


def _rms(sound: NDArray[np.float32], begin: float, time: float) -> float:
    start = round((time - begin) * 16_000)
    return float(np.sqrt(np.mean(sound[start : start + 320] ** 2)))


def test_equal_scenes_give_equal_files(duet: Scene, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, duet)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_a_file_that_fails_does_not_appear(tmp_path: Path) -> None:
    def frames() -> object:
        yield np.zeros((32, 32, 3), dtype=np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mp4(tmp_path / "a.mp4", frames(), np.zeros(16_000, dtype=np.int16), 8, 16_000)  # type: ignore[arg-type]
    assert not (tmp_path / "a.mp4").exists()
