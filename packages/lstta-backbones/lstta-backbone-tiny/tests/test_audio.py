"""The log-mel spectrogram against loops and transformers' own filters; lengths and their masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank

from lstta_backbone_tiny.encoders import FFT, HOP, MELS, RATE, TinyAudio, mel_filters


@pytest.fixture(scope="module")
def encoder() -> TinyAudio:
    torch.manual_seed(0)
    return TinyAudio(width=22, depth=2, heads=2, seconds=1.5).eval()


def test_mel_filters_are_the_usual_ones() -> None:
    usual = mel_filter_bank(
        FFT // 2 + 1, MELS, 0, RATE / 2, RATE, norm=None, mel_scale="htk", triangularize_in_mel_space=True
    )
    np.testing.assert_allclose(mel_filters(), usual.T, atol=1e-5)


def test_log_mel_is_that_of_a_loop(encoder: TinyAudio) -> None:
    sound = torch.randint(-9000, 9000, (1, 1600), dtype=torch.int16)
    wave = np.pad(sound[0].numpy() / 32768, (FFT // 2, FFT))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    frames = [np.abs(np.fft.rfft(wave[start : start + FFT] * window)) ** 2 for start in range(0, 1600, HOP)]
    expected = (np.log(mel_filters() @ np.array(frames).T + 1e-6) + 6) / 6
    np.testing.assert_allclose(encoder.log_mel(sound)[0].numpy(), expected, atol=2e-4)


def test_tokens_past_the_length_are_masked(encoder: TinyAudio) -> None:
    sound = torch.zeros(1, 3, 7000, dtype=torch.int16)
    state = encoder.embed({"sound": sound, "length": torch.tensor([[7000, 1601, 0]])})
    steps = state.mask.view(3, 2, 5)  # two bands, 0.1 s a step
    assert steps[0].all()
    assert steps[1].tolist() == [[True, True, False, False, False]] * 2
    assert not steps[2].any()


def test_too_long_a_segment_is_refused(encoder: TinyAudio) -> None:
    sound = torch.zeros(1, 1, 24001, dtype=torch.int16)
    with pytest.raises(ValueError, match="at most 24000 samples a segment, got 24001"):
        encoder.embed({"sound": sound, "length": torch.tensor([[24001]])})
