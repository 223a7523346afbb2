"""Rows of sound: segments by themselves or joined to whole clips, cut into windows, and the segment of each moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """What an audio encoder hears, row by row.

    Attributes:
        wave: (R, L), float32 in [−1, 1), zero from ``length`` on.
        length: (R,), int64, valid samples.
        rows_per_clip: R / B.
        start: (R,), the place of a row's first sample in its clip or segment.
        ends: (R, T), where each segment of the clip ends; None where a row lies within one segment.
        own: (R,), the segment of a row that lies within one.
    """

    wave: Tensor
    length: Tensor
    rows_per_clip: int
    start: Tensor
    ends: Tensor | None
    own: Tensor

    def segments_at(self, centres: Tensor) -> Tensor:
        """(R, M), int64: the segment that sounds at each of these samples (M,) of every row."""
        if self.ends is None:
            return self.own[:, None].expand(-1, len(centres))
        place = (self.start[:, None] + centres).contiguous()
        # Past the clip's end there is no segment; such moments are masked anyway.
        return torch.searchsorted(self.ends, place, right=True).clamp(max=self.ends.shape[1] - 1)


def rows_of(sound: Tensor, length: Tensor, *, span: Literal["segment", "clip"], window: int | None) -> Rows:
    """Arrange the sound of a batch.

    Args:
        sound: (B, T, n), int16.
        length: (B, T), int64, valid samples of each segment.
        span: ``"segment"`` for each segment by itself, ``"clip"`` for the segments of a clip end to end.
        window: pad to this many samples and cut what is longer; None leaves the length as it is.
    """
    batch, segments, samples = sound.shape
    wave = sound.float() / 32768
    wave = wave * (torch.arange(samples, device=sound.device) < length[..., None])
    ends = None
    if span == "clip":
        ends = length.cumsum(1)
        wave, length = _joined(wave, length, ends), ends[:, -1]
    else:
        wave, length = wave.flatten(0, 1), length.flatten()
    windows = 1
    if window is not None:
        windows = -(-wave.shape[1] // window)
        wave = F.pad(wave, (0, windows * window - wave.shape[1])).view(-1, window)
    start = torch.arange(windows, device=sound.device).repeat(wave.shape[0] // windows) * (window or 0)
    length = (length.repeat_interleave(windows, output_size=wave.shape[0]) - start).clamp(0, wave.shape[1])
    per_clip = wave.shape[0] // batch
    own = (torch.arange(per_clip, device=sound.device) // (per_clip // segments or 1)).repeat(batch)
    ends = None if ends is None else ends.repeat_interleave(windows, 0, output_size=wave.shape[0]).contiguous()
    return Rows(wave, length, per_clip, start, ends, own)


def _joined(wave: Tensor, length: Tensor, ends: Tensor) -> Tensor:
    """(B, T, n) to (B, T n): valid samples end to end, zeros after them."""
    batch, segments, samples = wave.shape
    offset = torch.arange(samples, device=wave.device)
    spare = segments * samples
    place = torch.where(offset < length[..., None], (ends - length)[..., None] + offset, spare)
    room = wave.new_zeros(batch, spare + 1)
    return room.scatter(1, place.flatten(1), wave.flatten(1))[:, :spare]
