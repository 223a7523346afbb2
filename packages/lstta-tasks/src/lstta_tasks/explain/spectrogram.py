"""A spectrogram to look at: decibels over time and mel-spaced frequency. Encoders compute their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.explain.excerpt import Media

COLUMNS, ROWS = 1000, 96
WINDOW_SECONDS = 0.04
AT_MOST = 4
"""Windows in a column; more of a long clip's sound is not looked at."""
LOWEST = 50.0
RANGE = 70.0
"""Decibels below the loudest that are told apart."""
QUIET = -50.0
"""Of a sine, in decibels of full scale: where all is quieter than that, nothing looks loud."""


def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequency on the mel scale (O'Shaughnessy 1987)."""
    return 2595 * np.log10(1 + hertz / 700)


def rows_at(hertz: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """At which rows of :func:`spectrogram`, as fractions of its height from below, these frequencies are."""
    low, high = mel(np.array([LOWEST, sample_rate / 2]))
    return (mel(hertz) - low) / (high - low)


def spectrogram(media: Media) -> NDArray[np.float32]:
    """(ROWS, COLUMNS), decibels relative to the loudest or to ``QUIET``, at least −RANGE; NaN where no sound is known.

    Columns divide the clip evenly; rows go up from 50 Hz to half the sample rate, evenly in mel.
    """
    rate = media.preprocessing.sample_rate
    size = max(16, round(WINDOW_SECONDS * rate))
    step = media.samples / COLUMNS
    windows = int(np.clip(round(step / size), 1, AT_MOST))
    centres = ((np.arange(COLUMNS * windows) + 0.5) * step / windows).astype(int)
    places = centres[:, None] + np.arange(size) - size // 2
    samples = media.sound_at(places)[0].astype(np.float32)
    window = np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(samples * window)) ** 2
    power = power.reshape(COLUMNS, windows, -1).mean(1)
    heard = media.sound_at(centres)[1].reshape(COLUMNS, windows).any(1)

    bins = np.fft.rfftfreq(size, 1 / rate)
    low, high = mel(np.array([LOWEST, rate / 2]))
    mels = np.linspace(low, high, ROWS)
    hertz = 700 * (10 ** (mels / 2595) - 1)
    at = np.stack([np.interp(hertz, bins, column) for column in power], 1)
    quiet = (32768 * window.sum() / 2) ** 2 * 10 ** (QUIET / 10)
    decibels = 10 * np.log10(at / max(float(at.max()), float(quiet)) + 10 ** (-RANGE / 10))
    return np.where(heard, decibels, np.nan).astype(np.float32)
