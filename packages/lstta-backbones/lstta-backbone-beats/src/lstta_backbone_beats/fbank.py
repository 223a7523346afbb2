"""Kaldi's filter banks, as BEATs reads them: of the values of 16-bit sound, in float32."""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

RATE, FRAME, HOP, FFT, MELS = 16000, 400, 160, 512, 128
MEAN, DEVIATION = 15.41663, 6.55582
"""Of the filter banks of AudioSet, as published."""
FLOOR = 2.0**-23


def fbank(sound: Tensor) -> Tensor:
    """(R, n) int16 at 16 kHz to (R, frames, 128), normalised; frames begin every 10 ms and lie inside, 25 ms each.

    Each frame loses its mean, then each sample .97 of the one before it (the first of itself); Povey's window;
    the power of 512 points; triangles even on Kaldi's mel scale from 20 Hz to 8 kHz; the natural logarithm.
    """
    window, filters = _tables(sound.device)
    frames = sound.float().unfold(1, FRAME, HOP)
    frames = frames - frames.mean(2, keepdim=True)
    frames = frames - 0.97 * F.pad(frames, (1, 0), mode="replicate")[..., :-1]
    power = torch.fft.rfft(frames * window, n=FFT).abs().square()
    return ((power @ filters).clamp(min=FLOOR).log() - MEAN) / (2 * DEVIATION)


@cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The window (400,), and the filters (257, 128). No buffers: casting an encoder leaves them as they are."""
    window = torch.hann_window(FRAME, periodic=False, dtype=torch.float64).pow(0.85)
    places = 1127 * torch.log1p(torch.arange(FFT // 2 + 1, dtype=torch.float64) * RATE / FFT / 700)
    low, high = (1127 * math.log1p(hertz / 700) for hertz in (20, RATE / 2))
    at = (places[:, None] - low) * (MELS + 1) / (high - low) - torch.arange(MELS)
    filters = torch.minimum(at, 2 - at).clamp(min=0)
    return window.float().to(device), filters.float().to(device)
