"""The audio encoder: patches of a log-mel spectrogram, each segment by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lstta_backbone_tiny.block import Block, attendable
from lstta_core.interfaces import AudioSpec, Encoder, EncoderOutput, EncoderState, Modality
from lstta_core.layout import Layout

RATE, FFT, HOP, MELS = 16000, 512, 160, 64
PATCH_FRAMES, PATCH_MELS = 10, 32
PATCH_SAMPLES = HOP * PATCH_FRAMES
BANDS = MELS // PATCH_MELS


@final
class TinyAudio(Encoder):
    """A transformer over patches of 0.1 s × 32 of 64 mel bands (100 frames a second).

    Args:
        width: D.
        depth: number of blocks.
        heads: must divide D.
        seconds: the longest segment.
    """

    modality = Modality.AUDIO

    def __init__(self, *, width: int = 128, depth: int = 4, heads: int = 4, seconds: float = 10.0) -> None:
        super().__init__()
        self.widths = (width,) * depth
        self.spec = AudioSpec(sample_rate=RATE)
        self.longest = round(seconds * RATE)
        self.window: Tensor
        self.mel: Tensor
        self.register_buffer("window", torch.hann_window(FFT), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel_filters()), persistent=False)
        self.patch = nn.Conv2d(1, width, kernel_size=(PATCH_MELS, PATCH_FRAMES), stride=(PATCH_MELS, PATCH_FRAMES))
        self.band = nn.Parameter(torch.randn(BANDS, 1, width) * 0.02)
        self.time = nn.Parameter(torch.randn(-(-self.longest // PATCH_SAMPLES), width) * 0.02)
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """
        Raises:
            ValueError: a segment is longer than ``seconds``.
        """
        sound, length = inputs["sound"], inputs["length"]
        segments = sound.shape[1]
        if sound.shape[-1] > self.longest:
            raise ValueError(
                f"tiny-audio hears at most {self.longest} samples a segment, got {sound.shape[-1]}: "
                "cut clips into more segments or keep less sound of each"
            )
        picture = self.log_mel(sound.flatten(0, 1))
        tokens = self.patch(picture[:, None].to(self.band.dtype))  # (R, D, bands, steps)
        steps = tokens.shape[-1]
        tokens = tokens.permute(0, 2, 3, 1) + self.band + self.time[:steps]
        tokens = tokens.flatten(1, 2)
        begins = torch.arange(steps, device=sound.device).repeat(BANDS) * PATCH_SAMPLES
        mask = begins < length.flatten()[:, None]
        segment = torch.arange(segments, device=sound.device).repeat(len(tokens) // segments)[:, None]
        layout = Layout.regular(segment.expand(mask.shape), segments=segments, rows_per_clip=segments)
        return EncoderState(tokens, mask, layout)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, attendable(state.mask)))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> EncoderOutput:
        """Pooled is the mean of the valid tokens."""
        tokens = self.norm(state.tokens)
        weights = state.mask[..., None].to(tokens.dtype)
        return EncoderOutput(tokens, (tokens * weights).sum(1) / weights.sum(1).clamp(min=1))

    def log_mel(self, sound: Tensor) -> Tensor:
        """(R, n) int16 to (R, MELS, frames), float32, about −1 … 1; frames fill whole patches."""
        short = -sound.shape[-1] % PATCH_SAMPLES
        wave = F.pad(sound.float() / 32768, (FFT // 2, FFT // 2 + short - HOP))
        spectrum = torch.stft(wave, FFT, HOP, window=self.window.float(), center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return ((self.mel.float() @ power + 1e-6).log() + 6) / 6


def mel_filters() -> NDArray[np.float32]:
    """(MELS, FFT // 2 + 1): triangular filters, evenly spaced on the mel scale (O'Shaughnessy 1987)."""

    def to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 2595 * np.log10(1 + hertz / 700)

    bins = to_mel(np.linspace(0, RATE / 2, FFT // 2 + 1))
    edges = np.linspace(0, to_mel(np.array([RATE / 2]))[0], MELS + 2)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None).astype(np.float32)
