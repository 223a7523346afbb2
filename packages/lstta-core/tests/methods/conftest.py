"""Streams for the tests of single adapters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lstta_core.interfaces import Modality, Stream, Streams

WIDTHS = {Modality.VISUAL: 14, Modality.AUDIO: 6, Modality.LANGUAGE: 10}
SHAPES = {Modality.VISUAL: (3, 5, 7), Modality.AUDIO: (3, 5, 2), Modality.LANGUAGE: (3, 1, 11)}


@pytest.fixture
def widths() -> dict[Modality, int]:
    return dict(WIDTHS)


@pytest.fixture
def make_streams() -> Callable[[], Streams]:
    """Three clips of five segments in float64, with padding, one segment without sound and one clip without sight."""

    def make() -> Streams:
        random = torch.Generator().manual_seed(3)
        streams = {}
        for modality, shape in SHAPES.items():
            mask = torch.rand(shape, generator=random) < 0.7
            mask[..., 0] = True
            present = torch.ones(3, dtype=torch.bool)
            if modality is Modality.AUDIO:
                mask[0, 2] = False
            if modality is Modality.VISUAL:
                mask[1] = False
                present[1] = False
            tokens = torch.randn(*shape, WIDTHS[modality], generator=random, dtype=torch.float64)
            streams[modality] = Stream(tokens, mask, present)
        return streams

    return make
