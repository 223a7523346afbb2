"""The sound of a scene: wavetables for pitched notes, modes for struck ones, formants for the voice-over.

One period of a tone is summed from harmonics once a note (a table of 2,048 samples, by an inverse FFT) and then read at
the note's running phase: far cheaper than a sine per harmonic and sample. Harmonics above :data:`HIGHEST` are left out.
All recipes are our choice, made to be told apart rather than to be realistic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lstta_world.scene import Note, Scene, Syllable, Timbre

SAMPLE_RATE = 16_000
FULL = 0.16  # RMS, as a share of full scale, of a note with loudness 1 at its strongest
Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How a kind of instrument sounds.

    Attributes:
        slope: harmonic n has amplitude ``n ** -slope`` …
        formant: … times a resonance at (Hz, width in Hz, gain), None for none.
        even: factor on even harmonics (a closed pipe has weak ones).
        harmonics: at most so many.
        modes: frequency ratios of a struck body; where given, there are no harmonics.
        attack: seconds to full strength.
        decay: seconds to 1/e; None for a tone that is held.
        vibrato: (rate in Hz, depth in semitones).
        tremolo: (rate in Hz, depth 0 … 1).
        bend: semitones by which the pitch starts off and from which it settles within a tenth of a second.
        breath: noise, as a share of the tone.
        knock: noise of the first 20 ms, as a share of the tone.
    """

    slope: float = 1.0
    formant: tuple[float, float, float] | None = None
    even: float = 1.0
    harmonics: int = 40
    modes: tuple[float, ...] = ()
    attack: float = 0.01
    decay: float | None = None
    vibrato: tuple[float, float] = (0.0, 0.0)
    tremolo: tuple[float, float] = (0.0, 0.0)
    bend: float = 0.0
    breath: float = 0.0
    knock: float = 0.0


RECIPES = {
    "accordion": Recipe(slope=0.5, even=0.25, harmonics=16, attack=0.05, tremolo=(7.0, 0.45)),
    "cello": Recipe(slope=1.3, formant=(350, 200, 2.0), attack=0.09, vibrato=(4.5, 0.25), breath=0.02),
    "drum": Recipe(modes=(1.0, 1.6, 2.3), attack=0.002, decay=0.12, bend=7.0, breath=0.5, knock=1.5),
    "flute": Recipe(slope=2.6, harmonics=4, attack=0.07, vibrato=(5.0, 0.12), breath=0.16),
    "guzheng": Recipe(slope=0.7, harmonics=30, attack=0.003, decay=0.45, bend=-1.6, knock=0.3),
    "piano": Recipe(slope=1.7, harmonics=12, attack=0.004, decay=0.4, knock=0.12),
    "trumpet": Recipe(slope=0.6, formant=(1300, 500, 4.0), harmonics=20, attack=0.03),
    "ukulele": Recipe(slope=1.5, even=0.2, harmonics=9, attack=0.003, decay=0.13, knock=0.5),
    "violin": Recipe(slope=0.9, formant=(3000, 900, 4.0), attack=0.06, vibrato=(6.2, 0.45), breath=0.05),
    "xylophone": Recipe(modes=(1.0, 3.93, 9.2), attack=0.001, decay=0.07, knock=0.4),
}

# The first three formants, in Hz: a, e, i, o, u.
VOWELS = ((750, 1200, 2500), (480, 1900, 2600), (290, 2250, 3000), (480, 850, 2450), (320, 750, 2300))
TABLE = 2048
HIGHEST = 7000  # Hz


def render_sound(scene: Scene, sample_rate: int = SAMPLE_RATE) -> NDArray[np.int16]:
    """The whole sound of a scene: (duration * sample_rate,) int16, mono. Turned down as a whole if it would clip."""
    rng = np.random.default_rng(scene.seed)
    count = round(scene.duration * sample_rate)
    mix = rng.standard_normal(count, dtype=np.float32) * np.float32(scene.hiss)
    for note in scene.notes:
        performer = scene.performers[note.performer]
        add(mix, note.onset, render_note(note, performer.instrument, performer.timbre, rng, sample_rate), sample_rate)
    for syllable in scene.voice:
        add(mix, syllable.onset, render_syllable(syllable, rng, sample_rate), sample_rate)
    peak = float(np.abs(mix).max())
    return (mix * (32767 * min(1.0, 0.98 / peak))).astype(np.int16)


def render_note(note: Note, instrument: str, timbre: Timbre, rng: Generator, sample_rate: int = SAMPLE_RATE) -> Wave:
    """One note by itself: (duration * sample_rate,) float32, its RMS ``FULL * loudness`` where it is strongest."""
    recipe = RECIPES[instrument]
    time = np.arange(int(note.duration * sample_rate), dtype=np.float32) / np.float32(sample_rate)
    phase = _phase(time, note.pitch, recipe, timbre, float(rng.random()), sample_rate)
    decay = None if recipe.decay is None else recipe.decay * timbre.decay
    sound = _struck if recipe.modes else _tone
    wave = sound(time, phase, note.pitch, recipe, timbre)
    wave /= np.sqrt(np.mean(wave[: sample_rate // 10] ** 2)) + 1e-9
    if recipe.breath or recipe.knock:
        noise = rng.standard_normal(len(time), dtype=np.float32)
        wave += noise * (
            recipe.breath * timbre.noise + recipe.knock * timbre.noise * np.exp(-time / np.float32(0.01))
        ).astype(np.float32)
    if recipe.tremolo[1]:
        rate, depth = recipe.tremolo
        wave *= 1 - np.float32(depth) * (0.5 + 0.5 * np.sin(np.float32(2 * np.pi * rate) * time))
    wave *= _envelope(time, recipe.attack * timbre.attack, decay)
    return wave * np.float32(FULL * note.loudness / _strongest(wave, sample_rate // 20))


def _strongest(wave: Wave, window: int) -> float:
    """The largest RMS of any window."""
    windows = max(len(wave) // window, 1)
    parts = wave[: windows * window].reshape(windows, -1)
    return float(np.sqrt(np.mean(parts**2, axis=1).max())) + 1e-9


def add(mix: Wave, onset: float, wave: Wave, sample_rate: int) -> None:
    """Add a wave to a mix, in place, ``onset`` seconds after its begin; what lies behind its end is cut."""
    start = round(onset * sample_rate)
    stop = min(start + len(wave), len(mix))
    mix[start:stop] += wave[: stop - start]


def _phase(time: Wave, pitch: float, recipe: Recipe, timbre: Timbre, start: float, sample_rate: int) -> Wave:
    """The running phase, in periods."""
    semitones = recipe.bend * np.exp(-time / np.float32(0.05))
    rate, depth = recipe.vibrato
    if depth:
        semitones = semitones + depth * timbre.vibrato * np.sin(2 * np.pi * (rate * time + start))
    frequency = pitch * np.exp2(semitones / 12)
    return (np.cumsum(frequency, dtype=np.float64) / sample_rate + start).astype(np.float32)


def _tone(time: Wave, phase: Wave, pitch: float, recipe: Recipe, timbre: Timbre) -> Wave:
    slope = recipe.slope + timbre.slope
    wave = _read(_table(pitch, slope, recipe.harmonics, recipe.even, recipe.formant), phase)
    if recipe.decay is not None:  # strings lose their brightness first
        dull = _read(_table(pitch, slope + 1.2, recipe.harmonics, recipe.even, recipe.formant), phase)
        share = np.exp(-time / np.float32(0.5 * recipe.decay * timbre.decay))
        wave = wave * share + dull * (1 - share)
    return wave


def _struck(time: Wave, phase: Wave, pitch: float, recipe: Recipe, timbre: Timbre) -> Wave:
    wave = np.zeros_like(time)
    decay = (recipe.decay or 0.1) * timbre.decay
    for n, ratio in enumerate(ratio for ratio in recipe.modes if ratio * pitch < HIGHEST):
        strength = np.float32(0.6**n * 2.0 ** (-n * timbre.slope))
        wave += strength * np.sin(np.float32(2 * np.pi * ratio) * phase) * np.exp(-time * np.float32(n / decay))
    return wave


def _table(pitch: float, slope: float, harmonics: int, even: float, formant: tuple[float, float, float] | None) -> Wave:
    count = max(1, min(harmonics, int(HIGHEST / pitch)))
    n = np.arange(1, count + 1)
    amplitude = n**-slope
    amplitude[1::2] *= even
    if formant is not None:
        centre, width, gain = formant
        amplitude *= 1 + gain * np.exp(-(((n * pitch - centre) / width) ** 2))
    return _period(amplitude)


def _period(amplitude: NDArray[np.floating]) -> Wave:
    # Phases that grow with the square of n spread the energy over the period and keep the peak low.
    n = np.arange(1, len(amplitude) + 1)
    spectrum = np.zeros(TABLE // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(amplitude) + 1] = amplitude * np.exp(1j * np.pi * n * n / len(amplitude))
    period = np.fft.irfft(spectrum)
    return (period / np.sqrt(np.mean(period**2))).astype(np.float32)


def _read(table: Wave, phase: Wave) -> Wave:
    return table[(phase * TABLE).astype(np.int32) % TABLE]


def _envelope(time: Wave, attack: float, decay: float | None, release: float = 0.02) -> Wave:
    shape = np.minimum(1, time / np.float32(attack))
    if decay is not None:
        shape = shape * np.exp(-time / np.float32(decay))
    left = time[-1] - time
    return (shape * np.minimum(1, left / np.float32(release))).astype(np.float32)


def render_syllable(
    syllable: Syllable, rng: Generator, sample_rate: int = SAMPLE_RATE, *, tract: float = 1.0, breath: float = 1.0
) -> Wave:
    """A vowel with a breathy consonant in front: (duration * sample_rate,) float32, its RMS ``FULL * loudness``.

    ``tract`` is a factor on the formants (a shorter vocal tract has higher ones), ``breath`` one on the consonant.
    """
    time = np.arange(int(syllable.duration * sample_rate), dtype=np.float32) / np.float32(sample_rate)
    n = np.arange(1, int(5000 / syllable.pitch) + 1)
    frequency = n * syllable.pitch
    amplitude = sum(
        gain * np.exp(-(((frequency - tract * centre) / 110) ** 2))
        for gain, centre in zip((1.0, 0.7, 0.35), VOWELS[syllable.vowel], strict=True)
    )
    glide = syllable.pitch * np.linspace(1, syllable.glide, len(time))
    phase = (np.cumsum(glide) / sample_rate).astype(np.float32)
    wave = _read(_period(amplitude + 0.03 / n), phase)
    wave += np.float32(breath) * rng.standard_normal(len(time), dtype=np.float32) * np.exp(-time / np.float32(0.02))
    return wave * _envelope(time, 0.03, None) * np.float32(FULL * syllable.loudness)
