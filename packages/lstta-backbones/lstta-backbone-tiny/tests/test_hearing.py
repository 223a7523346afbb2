"""The visual encoder with ears: its picture against a loop, where patches sound, and what it shares."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstta_backbone_tiny import encoders
from lstta_backbone_tiny.encoders import TinyVisual, mel_filters
from lstta_backbone_tiny.hearing import TinySoundAsPicture, sound_as_picture


def small(seconds: float) -> TinySoundAsPicture:
    torch.manual_seed(0)
    return TinySoundAsPicture(TinyVisual(width=22, depth=2, heads=2, size=(12, 30), patch=6), seconds=seconds).eval()


@pytest.mark.parametrize(("seconds", "hop", "fft"), [(0.211, 112, 512), (1.0, 533, 2048)])
def test_the_picture_is_that_of_a_loop(seconds: float, hop: int, fft: int) -> None:
    encoder = small(seconds)
    samples = 3001
    sound = torch.randint(-9000, 9000, (1, samples), dtype=torch.int16)
    wave = np.pad(sound[0].numpy() / 32768, (fft // 2, 30 * hop + fft))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)
    columns = [np.abs(np.fft.rfft(wave[column * hop :][:fft] * window)) ** 2 for column in range(30)]
    expected = (np.log(mel_filters(12, fft) @ np.array(columns).T + 1e-6) + 6) / 6
    np.testing.assert_allclose(encoder.picture(sound)[0].numpy(), expected, atol=2e-4)


def test_patches_past_the_length_are_masked() -> None:
    state = small(1.0).embed(
        {"sound": torch.zeros(1, 3, 16000, dtype=torch.int16), "length": torch.tensor([[16000, 3198, 0]])}
    )
    patches = state.mask[:, 1:].view(3, 2, 5)  # two bands, five patches of 6 × 533 samples
    assert patches[0].all()
    assert patches[1].tolist() == [[True, False, False, False, False]] * 2
    assert not patches[2].any()
    assert (state.layout.segment[:, 0] == -1).all()
    assert state.layout.segment[:, 1:].eq(torch.arange(3)[:, None]).all()


def test_it_has_the_visual_encoders_weights() -> None:
    hears, sees = sound_as_picture(), encoders.visual()
    assert hears.name == sees.name
    assert hears.widths == sees.widths
    for one, two in zip(hears.parameters(), sees.parameters(), strict=True):
        assert torch.equal(one, two)


def test_too_long_a_segment_is_refused() -> None:
    encoder = small(0.5)
    with pytest.raises(ValueError, match=r"at most 8000 samples a segment, got 8800: give it sound_seconds=0\.55"):
        encoder.embed({"sound": torch.zeros(1, 1, 8800, dtype=torch.int16), "length": torch.tensor([[8800]])})
    with pytest.raises(ValueError, match=r"sound_seconds=0\.001 is less than a sample for each of the 30 columns"):
        small(0.001)
