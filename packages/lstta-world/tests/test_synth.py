from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from lstta_world.random_scenes import sample_scene
from lstta_world.scene import INSTRUMENTS, PITCHES, Note, Scene, Timbre
from lstta_world.splits import Split, scene_rng
from lstta_world.styles import STYLES
from lstta_world.synth import FULL, SAMPLE_RATE, render_note, render_sound

PLAIN = Timbre(0.0, 1.0, 1.0, 1.0, 1.0)


def rms(sound: NDArray[np.int16], start: float, end: float) -> float:
    part = sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(float) / 32767
    return float(np.sqrt(np.mean(part**2)))


def test_sound_is_where_the_scene_says(duet: Scene) -> None:
    sound = render_sound(duet)
    assert sound.shape == (8 * SAMPLE_RATE,)
    assert sound.dtype == np.int16
    for start, end in ((0.55, 0.95), (3.0, 4.95), (6.95, 8.0)):
        assert rms(sound, start, end) == pytest.approx(duet.hiss, rel=0.2)
    assert rms(sound, 1.1, 1.4) > 0.5 * 0.8 * FULL
    assert rms(sound, 0.05, 0.2) > 20 * duet.hiss  # the voice


def test_silence_is_hiss_and_sound_repeats(duet: Scene) -> None:
    silent = dataclasses.replace(duet, notes=(), voice=())
    assert rms(render_sound(silent), 0, 8) == pytest.approx(duet.hiss, rel=0.1)
    np.testing.assert_array_equal(render_sound(duet), render_sound(duet))


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_note_has_its_loudness_pitch_and_length(instrument: str) -> None:
    low, high = PITCHES[instrument]
    pitch = 440 * 2 ** (((low + high) / 2 - 69) / 12)
    rng = np.random.default_rng(2)
    soft, loud = (render_note(Note(0, 0, 0.7, pitch, gain), instrument, PLAIN, rng) for gain in (0.25, 1.0))
    assert len(loud) == round(0.7 * SAMPLE_RATE)
    strongest = [np.sqrt(np.mean(w[: 14 * 800].reshape(14, 800) ** 2, axis=1)).max() for w in (soft, loud)]
    assert strongest[1] == pytest.approx(FULL, rel=1e-3)
    assert strongest[0] == pytest.approx(0.25 * FULL, rel=1e-3)
    spectrum = np.abs(np.fft.rfft(loud[4000:9000] * np.hanning(5000)))
    frequency = np.fft.rfftfreq(5000, 1 / SAMPLE_RATE)
    near = spectrum[np.abs(frequency - pitch) < 0.06 * pitch].max()
    assert near > 10 * np.median(spectrum)


@pytest.mark.parametrize("split", ["train", "test"])
def test_nothing_clips(split: Split) -> None:
    for index in range(17):
        sound = render_sound(sample_scene(scene_rng(1, split, index), split))
        assert np.abs(sound.astype(int)).max() < 32700


def test_timbres_can_be_told_apart() -> None:
    train, train_kinds = _notes("train", 300, seed=0)
    test, test_kinds = _notes("test", 100, seed=1)
    mean, spread = train.mean(0), train.std(0)
    train, test = (train - mean) / spread, (test - mean) / spread
    distance = ((test[:, None] - train[None]) ** 2).sum(-1)
    accuracy = float(np.mean(train_kinds[distance.argmin(1)] == test_kinds))
    assert accuracy > 0.6  # the nearest neighbour, from training to unseen timbres; chance is 0.1


def _notes(split: Split, count: int, seed: int) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Statistics of log band energies of single notes with a split's timbres."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(count) % len(INSTRUMENTS)
    return np.stack([_statistics(_note(rng, split, INSTRUMENTS[kind])) for kind in kinds]), kinds


def _note(rng: Generator, split: Split, kind: str) -> NDArray[np.float32]:
    style = STYLES[split]
    ranges = (style.slope, style.attack, style.decay, style.vibrato, style.noise)
    timbre = Timbre(*(float(rng.uniform(*r[rng.integers(len(r))])) for r in ranges))
    pitch = 440 * 2 ** ((rng.integers(PITCHES[kind][0], PITCHES[kind][1] + 1) - 69) / 12)
    return render_note(Note(0, 0.0, 0.5, pitch, 0.5), kind, timbre, rng)


def _statistics(wave: NDArray[np.float32]) -> NDArray[np.floating]:
    frames = wave[: len(wave) // 400 * 400].reshape(-1, 400) * np.hanning(400)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(1, 201, 30).astype(int))
    bands = np.log(np.add.reduceat(power, edges[:-1], axis=1) + 1e-5)
    return np.concatenate([bands.mean(0), bands.std(0), np.abs(np.diff(bands, axis=0)).mean(0)])
