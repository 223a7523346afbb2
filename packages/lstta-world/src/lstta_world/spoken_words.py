"""Words that are really spoken: by six voices, each in three manners, from a program of its own (``say.py``)."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lstta_world.synth import SAMPLE_RATE, Wave

WORDS = ("coffee", "garden", "monday", "paper", "river", "seven", "sugar", "winter", "yellow")
# Voices of eSpeak NG: an accent of English, American or British, and a variant, a man's or a woman's.
VOICES = ("en-us", "en-us+m3", "en-us+f2", "gmw/en", "gmw/en+m7", "gmw/en+f4")
MANNERS = ((135, 40), (150, 50), (165, 60))  # words a minute, pitch 0 … 99
QUIET = 0.02  # of a word's peak: less is silence at its ends


@lru_cache(maxsize=1)
def spoken_words() -> dict[tuple[str, int, int], Wave]:
    """Each word by the index of its voice and of its manner: (n,) float32 at :data:`~lstta_world.synth.SAMPLE_RATE`.

    Its RMS is 1, and there is no silence at its ends. Spoken once a process, in about a second.

    Raises:
        ValueError: the speech synthesiser is not installed.
        RuntimeError: it does not speak; the message has what it said.
    """
    asked = list(product(WORDS, range(len(VOICES)), range(len(MANNERS))))
    spoken = say([(word, VOICES[voice], *MANNERS[manner]) for word, voice, manner in asked])
    return {key: _normal(wave) for key, wave in zip(asked, spoken, strict=True)}


def say(utterances: list[tuple[str, str, int, int]]) -> list[Wave]:
    """The sounds of (text, voice, words a minute, pitch), at :data:`~lstta_world.synth.SAMPLE_RATE`."""
    need_synthesiser()
    lines = "\n".join(map(json.dumps, utterances))
    run = subprocess.run([sys.executable, "-Pm", "lstta_world.say"], input=lines.encode(), capture_output=True)
    if run.returncode:
        raise RuntimeError(f"the speech synthesiser failed: {run.stderr.decode(errors='replace').strip()[-400:]}")
    rate, place, waves = int(np.frombuffer(run.stdout, "<i4", 1)[0]), 4, []
    for _ in utterances:
        count = int(np.frombuffer(run.stdout, "<i4", 1, place)[0])
        samples = np.frombuffer(run.stdout, "<i2", count, place + 4)
        waves.append(resample((samples / 32768).astype(np.float32), rate, SAMPLE_RATE))
        place += 4 + 2 * count
    return waves


def need_synthesiser() -> None:
    """Check that words can be spoken.

    Raises:
        ValueError: the message says what to install.
    """
    if find_spec("espeakng_loader") is None:
        raise ValueError(
            "the words of `moments` are spoken by eSpeak NG (GPL-3.0-or-later), which is not installed: "
            "pip install lstta-world[speech]"
        )


def resample(wave: Wave, rate: int, wanted: int) -> Wave:
    """A wave (n,) at another rate, by its spectrum: (ceil(n / p) * q,), where q / p is ``wanted / rate`` reduced."""
    divisor = int(np.gcd(rate, wanted))
    before, after = rate // divisor, wanted // divisor
    blocks = -(-len(wave) // before)
    spectrum = np.fft.rfft(wave, blocks * before)
    longer: NDArray[np.floating] = np.fft.irfft(spectrum[: blocks * after // 2 + 1], blocks * after)
    return (longer * (after / before)).astype(np.float32)


def _normal(wave: Wave) -> Wave:
    loud = np.flatnonzero(np.abs(wave) > QUIET * np.abs(wave).max())
    cut = wave[loud[0] : loud[-1] + 1]
    return cut / np.sqrt(np.mean(cut**2))
