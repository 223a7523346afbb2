"""What each change does to a clip, and what it leaves as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstta_core.interfaces import Modality
from lstta_tasks.data import augmenting
from lstta_tasks.data.augment import Augment
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.data.lacking import lacking
from lstta_tasks.task import Sample, TimedText

RATE, T, N = 1600, 5, 331
TIMED = (TimedText(0.0, 1.0, "first"), TimedText(4.2, 4.9, "last"))
SAMPLE = Sample("s", ClipSource("v", Path("v.mp4")), "a question", 0, timed=TIMED)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def clip(random: np.random.Generator) -> Clip:
    return Clip(
        frames=random.integers(0, 256, (T, 2, 17, 13, 3), dtype=np.uint8),
        frame_times=np.zeros((T, 2)),
        sound=random.integers(-8000, 8000, (T, N), dtype=np.int16),
        sound_length=np.array([N, N, N, N, 101]),
        has_video=True,
        has_sound=True,
        duration=5.0,
    )


def test_a_cut_is_one_for_all_pictures(clip: Clip) -> None:
    across = np.arange(13, dtype=np.uint8) * 10
    clip.frames[:] = across[:, None]
    augmenting.crop(clip.frames, 0.5, np.random.default_rng(3))
    assert (clip.frames == clip.frames[:1, :1]).all()
    assert np.ptp(clip.frames.astype(int), axis=2).max() <= 1  # rounding
    row = clip.frames[0, 0, 0, :, 0].astype(int)
    assert row[0] > 0 or row[-1] < 120
    assert (np.diff(row) >= 0).all()
    assert 0.45 * 120 <= row[-1] - row[0] < 120


def test_colour_moves_brightness_and_keeps_grey_grey(clip: Clip, random: np.random.Generator) -> None:
    clip.frames[:] = clip.frames[..., :1]
    before = clip.frames.astype(float)
    augmenting.recolour(clip.frames, 0.4, random)
    after = clip.frames.astype(float)
    assert np.ptp(after, axis=-1).max() <= 1  # rounding
    assert np.abs(after - before).mean() > 3
    inside = (after > 0) & (after < 255)
    assert np.corrcoef(before[inside], after[inside])[0, 1] > 0.99


def test_a_shift_moves_all_together(clip: Clip) -> None:
    frames, sound = clip.frames.copy(), clip.sound.copy()
    sample, later = augmenting.shift(SAMPLE, clip, 2)
    np.testing.assert_array_equal(later.frames[2:], frames[:3])
    assert (later.frames[:2] == frames[0]).all()
    np.testing.assert_array_equal(later.sound[2:], sound[:3])
    assert not later.sound[:2].any()
    assert later.sound_length.tolist() == [0, 0, N, N, N]
    assert sample.timed == (TimedText(2.0, 3.0, "first"),)  # the other is behind the end now


def test_and_back_to_the_beginning(clip: Clip) -> None:
    frames = clip.frames.copy()
    sample, earlier = augmenting.shift(SAMPLE, clip, -4)
    np.testing.assert_array_equal(earlier.frames[0], frames[4])
    assert (earlier.frames[1:] == frames[4]).all()
    assert earlier.sound_length.tolist() == [101, 0, 0, 0, 0]
    assert [t.text for t in sample.timed] == ["last"]
    assert earlier.has_sound


def test_shifted_out_of_all_sound(clip: Clip) -> None:
    clip.sound_length[:] = [N, 0, 0, 0, 0]
    assert not augmenting.shift(SAMPLE, clip, -1)[1].has_sound


def test_time_masks_silence_no_more_than_their_share(clip: Clip, random: np.random.Generator) -> None:
    before = clip.sound.copy()
    augmenting.silence(clip, 2, 0.2, random)
    changed = (clip.sound != before).ravel()
    assert 0 < changed.mean() <= 0.4
    assert not clip.sound.ravel()[changed].any()


def test_frequency_masks_take_bands_out(clip: Clip) -> None:
    times = np.arange(N) / RATE
    clip.sound[:] = 8000 * np.sin(2 * np.pi * 200 * times) + 8000 * np.sin(2 * np.pi * 650 * times)
    before = np.abs(np.fft.rfft(clip.sound[0].astype(float)))
    left = []
    for seed in range(20):
        copy = replace(clip, sound=clip.sound.copy())
        augmenting.band_stop(copy, 1, 0.5, RATE, np.random.default_rng(seed))
        assert not copy.sound[4, 101:].any()
        after = np.abs(np.fft.rfft(copy.sound[0].astype(float)))
        left.append([after[round(f * N / RATE)] / before[round(f * N / RATE)] for f in (200, 650)])
    found = np.array(left).round(1)
    assert {tuple(row) for row in found.tolist()} >= {(1.0, 1.0), (0.0, 1.0), (1.0, 0.0)}


def test_dropping_leaves_one_of_those_that_there_are(clip: Clip) -> None:
    always = Augment(drop={"visual": 1, "audio": 1, "language": 1})
    left = set()
    for seed in range(30):
        gone = augmenting.dropped(SAMPLE, clip, always, np.random.default_rng(seed))
        assert len(gone) == 2
        left |= set(Modality) - set(gone)
    assert left == set(Modality)
    deaf = replace(clip, has_sound=False)
    wordless = replace(SAMPLE, text=None, timed=())
    assert augmenting.dropped(wordless, deaf, always, np.random.default_rng(0)) == []
    some = Augment(drop={"audio": 0.25})
    gone = [augmenting.dropped(SAMPLE, clip, some, np.random.default_rng(seed)) for seed in range(400)]
    assert {tuple(g) for g in gone} == {(), (Modality.AUDIO,)}
    assert 0.17 < sum(map(bool, gone)) / 400 < 0.33


def test_what_a_sample_lacks(clip: Clip) -> None:
    base = clip.frames
    sample, blind = lacking(SAMPLE, clip, Modality.VISUAL)
    assert not blind.has_video
    assert blind.frames is base
    assert not base.any()
    sample, deaf = lacking(sample, blind, Modality.AUDIO)
    assert (deaf.has_sound, deaf.sound.any(), deaf.sound_length.any()) == (False, False, False)
    sample, _ = lacking(sample, deaf, Modality.LANGUAGE)
    assert (sample.text, sample.timed) == (None, ())
