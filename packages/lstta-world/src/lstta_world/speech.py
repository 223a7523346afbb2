"""The sound of a talker: syllables whose pitch follows the tone of the line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstta_world.scene import Syllable
from lstta_world.speech_rate import syllables
from lstta_world.synth import SAMPLE_RATE, add, render_syllable
from lstta_world.talk import DIRECTION, Talk

SPAN = {True: 11.0, False: 6.0}  # semitones that a moving pitch crosses in a line, wide or narrow
SWING = {True: 2.0, False: 0.4}  # semitones up and down from syllable to syllable of a level line
GLIDE = 0.3  # of the span within each syllable, so that every second of the line has its direction
LOUD, SOFT = 0.75, 0.25


def melody(talk: Talk) -> list[Syllable]:
    """The syllables of the line, in time."""
    rng = np.random.default_rng([talk.seed, 1])
    tone, voice = talk.tone, talk.person.voice
    placed = []
    for word in talk.words:
        vowels = syllables(word.text)
        length = word.duration / len(vowels)
        placed += [(word.onset + k * length, length, vowel) for k, vowel in enumerate(vowels)]
    direction, span = DIRECTION[tone.contour], SPAN[tone.wide]
    result = []
    for k, (onset, length, vowel) in enumerate(placed):
        done = k / max(len(placed) - 1, 1) - 0.5
        swing = SWING[tone.wide] * (-1) ** k if direction == 0 else 0.0
        semitones = direction * span * done + swing + float(rng.normal(0, 0.3))
        loudness = (LOUD if tone.loud else SOFT) * 10 ** (float(rng.normal(0, 1)) / 20)
        pitch = voice.pitch * 2 ** ((semitones - direction * span * GLIDE / 2) / 12)
        result.append(Syllable(onset, length, pitch, 2 ** (direction * span * GLIDE / 12), vowel, loudness))
    return result


def render_speech(talk: Talk, sample_rate: int = SAMPLE_RATE) -> NDArray[np.int16]:
    """The whole sound of a clip: (duration * sample_rate,) int16, mono. Turned down as a whole if it would clip."""
    rng = np.random.default_rng([talk.seed, 2])
    mix = rng.standard_normal(round(talk.duration * sample_rate), dtype=np.float32) * np.float32(talk.person.hiss)
    voice = talk.person.voice
    for syllable in melody(talk):
        wave = render_syllable(syllable, rng, sample_rate, tract=voice.tract, breath=voice.breath)
        add(mix, syllable.onset, wave, sample_rate)
    peak = float(np.abs(mix).max())
    return (mix * (32767 * min(1.0, 0.98 / peak))).astype(np.int16)
