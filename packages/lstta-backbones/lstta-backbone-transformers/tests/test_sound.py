"""Rows of sound and the segment of each moment, against loops."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from lstta_backbone_transformers.sound import rows_of

BATCH, SEGMENTS, SAMPLES = 3, 5, 7
LENGTH = torch.tensor([[7, 7, 7, 7, 7], [7, 6, 7, 3, 0], [0, 0, 0, 0, 0]])


@pytest.fixture
def sound() -> torch.Tensor:
    """Sample j of segment t of clip b is 100 b + 10 t + j + 1, so that every sample is known by its value."""
    clip, segment, sample = torch.meshgrid(
        torch.arange(BATCH), torch.arange(SEGMENTS), torch.arange(SAMPLES), indexing="ij"
    )
    return (100 * clip + 10 * segment + sample + 1).to(torch.int16)


@pytest.mark.parametrize("span", ["segment", "clip"])
@pytest.mark.parametrize("window", [None, 2, 5, 11, 35, 41])
def test_every_valid_sample_is_heard_once_in_its_segment(
    sound: torch.Tensor, span: Literal["segment", "clip"], window: int | None
) -> None:
    rows = rows_of(sound, LENGTH, span=span, window=window)
    longest = rows.wave.shape[1]
    assert rows.wave.dtype == torch.float32
    assert rows.wave.shape[0] == BATCH * rows.rows_per_clip
    assert longest == (window or (SAMPLES if span == "segment" else SEGMENTS * SAMPLES))
    segment = rows.segments_at(torch.arange(longest))
    heard: dict[tuple[int, int], list[float]] = {}
    for row in range(rows.wave.shape[0]):
        assert (rows.wave[row, rows.length[row] :] == 0).all()
        for j in range(int(rows.length[row])):
            key = (row // rows.rows_per_clip, int(segment[row, j]))
            heard.setdefault(key, []).append(rows.wave[row, j].item() * 32768)
    for b in range(BATCH):
        for t in range(SEGMENTS):
            assert heard.get((b, t), []) == sound[b, t, : LENGTH[b, t]].tolist()


def test_full_scale_is_one() -> None:
    sound = torch.tensor([[[-32768, 16384]]], dtype=torch.int16)
    assert rows_of(sound, torch.tensor([[2]]), span="clip", window=None).wave.tolist() == [[-1.0, 0.5]]
