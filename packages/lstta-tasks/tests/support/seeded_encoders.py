"""Encoders with the same random weights in every process: ``visual=dict(type=visual, seed=5)`` in configs of tests."""

from __future__ import annotations

import torch

from lstta_core.interfaces import Encoder
from lstta_core.testing.toy_encoders import ToyAudio, ToyLanguage, ToyVisual
from lstta_core.testing.toy_speaker import ToySpeaker


def visual(*, seed: int) -> Encoder:
    """Frames of 8 × 12 pixels, two blocks."""
    return _seeded(ToyVisual, seed)


def audio(*, seed: int) -> Encoder:
    """Sound of 47 Hz, three blocks."""
    return _seeded(ToyAudio, seed)


def language(*, seed: int) -> Encoder:
    """Any words, two blocks."""
    return _seeded(ToyLanguage, seed)


def speaker(*, seed: int) -> Encoder:
    """As ``language``, and it speaks."""
    return _seeded(ToySpeaker, seed)


def _seeded(kind: type[Encoder], seed: int) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind()
