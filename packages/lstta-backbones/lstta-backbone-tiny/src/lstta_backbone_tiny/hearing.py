"""The visual encoder hears: it is shown the log-mel of each segment, so that one transformer reads sight and sound.

LAVISH's way (Lin et al. 2023) with the encoder of this package. ``tiny-visual`` never saw a spectrogram in its
pretraining, so its frozen features of sound say little, and adapters have most to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_backbone_tiny.encoders import FFT, RATE, TinyVisual, mel_filters, rows_as_segments, scaled_log_mel, visual
from lstta_core.counts import check_above_zero
from lstta_core.interfaces import AudioSpec, Encoder, EncoderState, Modality


@final
class TinySoundAsPicture(Encoder):
    """A tubelet transformer over the log-mel of a segment: time across, a band a row, the lowest at the top.

    Both frames of a tubelet and all three channels are the same picture, whose values are those of ``tiny-audio``,
    about −1 … 1. Its columns lie evenly in ``seconds``, each a window of 32 ms, or more where they are so far apart
    that sound would fall between them; a patch is heard where it begins within the sound. All of this is our choice.

    Args:
        visual: the encoder.
        seconds: of a picture: the longest segment.
    """

    modality = Modality.AUDIO

    def __init__(self, visual: TinyVisual, *, seconds: float = 1.0) -> None:
        super().__init__()
        check_above_zero(sound_seconds=seconds)
        self.visual = visual
        self.widths = visual.widths
        self.bands, self.columns = visual.spec.size
        self.hop = round(seconds * RATE) // self.columns
        if self.hop < 1:
            raise ValueError(f"sound_seconds={seconds} is less than a sample for each of the {self.columns} columns")
        self.longest = round(seconds * RATE)
        self.fft = max(FFT, 1 << (2 * self.hop - 1).bit_length())
        self.spec = AudioSpec(sample_rate=RATE, seconds=seconds)
        self.window: Tensor
        self.mel: Tensor
        self.register_buffer("window", torch.hann_window(self.fft), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel_filters(self.bands, self.fft)), persistent=False)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """
        Raises:
            ValueError: a segment is longer than ``seconds``.
        """
        sound, length = inputs["sound"], inputs["length"]
        segments = sound.shape[1]
        if sound.shape[-1] > self.longest:
            raise ValueError(
                f"tiny-sound-as-picture draws at most {self.longest} samples a segment, got {sound.shape[-1]}: give "
                f"it sound_seconds={sound.shape[-1] / RATE} or more"
            )
        picture = self.picture(sound.flatten(0, 1)).to(self.visual.position.dtype)
        tokens = self.visual.patches(picture[:, None, None].expand(-1, 3, 2, -1, -1))
        side = self.visual.side
        begins = torch.arange(self.columns // side, device=sound.device).repeat(self.bands // side) * side * self.hop
        mask = F.pad(begins < length.flatten()[:, None], (1, 0), value=True)
        patches = torch.arange(tokens.shape[1], device=tokens.device) > 0
        return EncoderState(tokens, mask, rows_as_segments(patches.expand(mask.shape), segments))

    def picture(self, sound: Tensor) -> Tensor:
        """(R, n) int16 to (R, bands, columns), float32, about −1 … 1."""
        wave = F.pad(sound.float() / 32768, (self.fft // 2, self.longest - sound.shape[-1] + self.fft))
        wave = wave[:, : (self.columns - 1) * self.hop + self.fft]
        return scaled_log_mel(wave, self.window, self.hop, self.mel)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return self.visual.run_block(index, state)

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return self.visual.more_tokens(extras, count)

    def last_block_behind(self, state: EncoderState, count: int) -> Tensor:
        return self.visual.last_block_behind(state, count)

    def block(self, index: int) -> nn.Module:
        return self.visual.block(index)

    def finish(self, state: EncoderState) -> Tensor:
        return self.visual.finish(state)


def sound_as_picture(*, sound_seconds: float = 1.0) -> TinySoundAsPicture:
    """The pretrained visual encoder, with ears.

    Args:
        sound_seconds: of a picture: the longest segment; a config's ``clips.sound_seconds``, where it says none here.
    """
    made = TinySoundAsPicture(visual(), seconds=sound_seconds)
    made.name, made.licence = made.visual.name, made.visual.licence
    return made
