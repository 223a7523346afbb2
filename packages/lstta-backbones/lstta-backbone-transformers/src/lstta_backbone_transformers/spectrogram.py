"""Log-mel spectrograms in torch, on the device of the sound, in float32."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from lstta_backbone_transformers.constants import Constant


def centred_power(wave: Tensor, window: Constant, hop: int) -> Tensor:
    """(R, L) to (R, bins, 1 + L // hop): power of frames centred on multiples of ``hop``, mirrored at both ends."""
    table = window.like(wave)
    spectrum = torch.stft(wave, len(table), hop, window=table, center=True, pad_mode="reflect", return_complex=True)
    return spectrum.abs().square()


def kaldi_power(wave: Tensor, window: Constant, hop: int, size: int, preemphasis: float) -> Tensor:
    """(R, L) to (R, size // 2 + 1, frames): power of frames that begin at multiples of ``hop`` and lie inside.

    Each frame loses its mean, then each sample ``preemphasis`` of the one before it; the first, of itself.
    """
    table = window.like(wave)
    frames = wave.unfold(1, len(table), hop)
    frames = frames - frames.mean(2, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
    spectrum = torch.fft.rfft((frames - preemphasis * before) * table, n=size)
    return spectrum.abs().square().transpose(1, 2)


def log_mel(power: Tensor, filters: Constant, floor: float, scale: Literal["ln", "log10", "dB"]) -> Tensor:
    """(R, bins, frames) to (R, mels, frames), with filters (bins, mels) and no value below the floor's logarithm."""
    mel = (filters.like(power).T @ power).clamp(min=floor)
    if scale == "ln":
        return mel.log()
    return mel.log10() if scale == "log10" else 10 * mel.log10()
