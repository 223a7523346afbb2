"""What pictures show of a clip: its sound in a row, a strip of frames, what the model heard, a spectrogram, an axis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_world import write_film
from untrained import TOY

from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.explain import axis
from lstta_tasks.explain.excerpt import HEIGHT, Media, media_of, read_media
from lstta_tasks.explain.spectrogram import COLUMNS, QUIET, RANGE, ROWS, rows_at, spectrogram

RATE = 8000
QUIET_BY = 20 * np.log10(33 / 32768) - QUIET


def media(sound_seconds: float, hertz: float = 1000.0, *, segments: int = 4, seconds: float = 2.0) -> Media:
    """A tone; of each segment as much as is kept of it."""
    kept = Preprocessing(segments=segments, frame_size=(2, 3), sample_rate=RATE, sound_seconds=sound_seconds)
    wave = (9000 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)
    count = min(kept.sound_samples, len(wave) // segments)
    parts = wave.reshape(segments, -1)
    begin = (parts.shape[1] - count) // 2
    sound = np.zeros((segments, kept.sound_samples), np.int16)
    sound[:, :count] = parts[:, begin : begin + count]
    clip = Clip(
        frames=np.arange(segments, dtype=np.uint8)[:, None, None, None, None] * np.ones((1, 1, 2, 3, 3), np.uint8),
        frame_times=np.zeros((segments, 1)),
        sound=sound,
        sound_length=np.full(segments, count),
        has_video=True,
        has_sound=True,
        duration=seconds,
    )
    return media_of(clip, kept)


class TestSound:
    def test_in_a_row(self) -> None:
        line, known = media(0.5).sound()
        np.testing.assert_array_equal(line, (9000 * np.sin(2 * np.pi * np.arange(16000) / 8)).astype(np.int16))
        assert known.all()
        assert media(0.5).hears_all

    def test_with_gaps_where_less_is_kept(self) -> None:
        gapped = media(0.1)
        line, known = gapped.sound()
        assert not gapped.hears_all
        np.testing.assert_allclose(gapped.heard, [(0.2, 0.3), (0.7, 0.8), (1.2, 1.3), (1.7, 1.8)])
        assert known.mean() == pytest.approx(0.2)
        assert known[int(0.2 * RATE) : int(0.3 * RATE)].all()
        whole, _ = media(0.5).sound()
        np.testing.assert_array_equal(line, whole * known)

    def test_decoded_for_people_it_is_whole_and_the_frames_are_larger(self, tmp_path: Path) -> None:
        write_film(tmp_path / "film.mp4")
        source = ClipSource("film", tmp_path / "film.mp4")
        short = replace(TOY, sample_rate=RATE, sound_seconds=0.1)
        seen = decode_clip(source, short)
        shown = read_media(source, short, seen.duration)
        assert shown.clip.frames.shape == (3, 1, HEIGHT, 270, 3)
        assert shown.clip.frames.mean() == pytest.approx(seen.frames.mean(), abs=4)
        np.testing.assert_array_equal(shown.clip.frame_times, seen.frame_times)
        assert shown.sound()[1].mean() > 0.95
        assert sum(end - start for start, end in shown.heard) == pytest.approx(0.3, abs=0.05)


class TestStrip:
    def test_a_frame_a_segment(self) -> None:
        strip = media(0.5).strip()
        assert [(start, end, pixels[0, 0, 0]) for start, end, pixels in strip] == [
            (0, 0.5, 0), (0.5, 1, 1), (1, 1.5, 2), (1.5, 2, 3)
        ]  # fmt: skip

    def test_fewer_where_there_are_many(self) -> None:
        strip = media(0.1, segments=20).strip(most=7)
        assert [pixels[0, 0, 0] for _, _, pixels in strip] == [1, 4, 7, 10, 13, 16, 18]
        assert strip[-1][:2] == pytest.approx((1.8, 2.0))

    @pytest.mark.parametrize("segment", [0, 5, 11, 19])
    def test_the_outlined_segment_is_among_them(self, segment: int) -> None:
        strip = media(0.1, segments=20).strip(most=7, outlined=(segment / 10, (segment + 1) / 10))
        (found,) = [pixels[0, 0, 0] for start, end, pixels in strip if start <= segment / 10 + 0.05 < end]
        assert found == segment


class TestSpectrogram:
    @pytest.mark.parametrize("hertz", [200.0, 1000.0, 3100.0])
    def test_a_tone_is_brightest_at_its_frequency(self, hertz: float) -> None:
        found = spectrogram(media(0.5, hertz))
        assert found.shape == (ROWS, COLUMNS)
        assert found.max() == pytest.approx(0, abs=0.01)
        assert found.min() >= -RANGE - 0.01
        (place,) = rows_at(np.array([hertz]), RATE) * (ROWS - 1)
        assert np.abs(found.argmax(0)[50:-50] - place).max() < 2

    def test_columns_are_times(self) -> None:
        found = spectrogram(media(0.1))
        known = ~np.isnan(found).any(0)
        assert known.mean() == pytest.approx(0.2, abs=0.01)
        assert known[100:150].all()
        assert not known[151:350].any()

    def test_of_a_long_clip_and_of_silence(self) -> None:
        long = media(1.0, segments=4, seconds=400.0)
        assert 10 <= np.isfinite(spectrogram(long)).any(0).sum() <= 16  # four times one second of 0.4 a column
        quiet = replace(long, clip=replace(long.clip, sound=np.zeros_like(long.clip.sound)))
        assert np.nanmax(spectrogram(quiet)) == pytest.approx(-RANGE)

    def test_what_is_quiet_looks_quiet(self) -> None:
        loud = media(0.5)
        for amplitude, expected in ((9000, 0.0), (327, 0.0), (33, QUIET_BY)):
            softer = (loud.clip.sound * (amplitude / 9000)).round().astype(np.int16)
            found = spectrogram(replace(loud, clip=replace(loud.clip, sound=softer)))
            assert np.nanmax(found) == pytest.approx(expected, abs=2.5)  # no row need lie on the tone

    def test_ends_of_the_axis(self) -> None:
        np.testing.assert_allclose(rows_at(np.array([50.0, 4000.0]), RATE), [0, 1], atol=1e-12)


class TestAxis:
    @pytest.mark.parametrize(
        ("duration", "expected"),
        [
            (8.0, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
            (5.312, [0, 1, 2, 3, 4, 5]),
            (0.3, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]),
            (60.0, [0, 10, 20, 30, 40, 50, 60]),
            (121.0, [0, 15, 30, 45, 60, 75, 90, 105, 120]),
            (900.0, [0, 120, 240, 360, 480, 600, 720, 840]),
        ],
    )
    def test_ticks_are_round_and_few(self, duration: float, expected: list[float]) -> None:
        assert axis.ticks(duration) == pytest.approx(expected)

    @pytest.mark.parametrize("duration", [0.001, 3, 119.9, 3599, 7 * 3600, 40 * 3600])
    def test_never_more_than_asked_for(self, duration: float) -> None:
        assert 2 <= len(axis.ticks(duration)) <= 11

    def test_clock(self) -> None:
        assert [axis.clock(time, 8) for time in (0, 0.5, 2.0)] == ["0", "0.5", "2"]
        assert [axis.clock(time, 9000) for time in (0, 75, 3661)] == ["0:00", "1:15", "1:01:01"]
        assert [axis.unit(duration) for duration in (8, 900, 9000)] == ["s", "min:s", "h:min:s"]
