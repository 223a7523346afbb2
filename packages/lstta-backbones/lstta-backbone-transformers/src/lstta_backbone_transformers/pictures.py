"""Sound as a picture: what a frozen visual model hears when it is shown the log-mel of each segment.

This is LAVISH's way (Lin et al. 2023, arXiv 2212.07983): one visual transformer for both sight and sound. There frozen
features do not fit the sound, and adapters have most to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.audio_utils import mel_filter_bank, window_function

from lstta_backbone_transformers.constants import Constant
from lstta_backbone_transformers.family import AudioFamily, Family, VisualFamily
from lstta_backbone_transformers.fronts import Front
from lstta_backbone_transformers.pixels import check_size, frame_size
from lstta_backbone_transformers.spectrogram import kaldi_power, log_mel
from lstta_core.counts import check_above_zero

MEAN, DEVIATION = -4.984795570373535, 3.7079780101776123
"""Of log-mels of AVE's sound in 192 bands, as LAVISH's public code has them; for ViT's 224 it has −4.1426, 3.2001."""

SECOND = 16000
FIELD = 400
FLOOR = 1.192092955078125e-07


class PictureFront(Front):
    """The log-mel of a row as an RGB picture, time down and frequency across, three times the same channel.

    As LAVISH's public code has it: Kaldi's filter banks of 16 kHz sound with a Hann window of 25 ms, as many bands as
    the picture has columns and as many frames as it has rows; minus the mean, divided by twice the deviation, and zero
    where no frame lies within the sound. The model's own mean and deviation of colours are not used. LAVISH has frames
    every 5.2 ms of a second for 192 rows, and 4.4 ms for 224; here they are spread evenly over any length, which is
    5.2 and 4.4 ms there too (our choice). Where they would lie further apart than half a window, the window grows to
    twice their distance, so that no sound falls between them (our choice). As published, some of the lowest of
    very many bands hold no bin of the spectrum.

    A patch is heard where its first frame lies within the sound.

    Args:
        config: of the visual model.
        settings: of its image processor, which say the size where ``size`` does not.
        seconds: of a picture; one, as LAVISH has it, where nothing is said.
        family: of the visual model.
        size: (height, width) of the picture.
        mean: of log-mels.
        deviation: of log-mels.

    Raises:
        ValueError: the family reads video, the size is not one that it accepts, or the picture is too short.
    """

    sample_rate = SECOND
    window: int

    def __init__(
        self,
        config: Any,
        settings: Mapping[str, Any],
        seconds: float | None,
        *,
        family: VisualFamily,
        size: tuple[int, int] | None,
        mean: float,
        deviation: float,
    ) -> None:
        if family.window is not None or family.whole:
            raise ValueError(
                f"{family.model_type} reads video; a log-mel is one picture. Choose a checkpoint that reads pictures, "
                "such as ViT, DINOv2, CLIP, SigLIP or Swin V2"
            )
        size = frame_size(family, config, settings, size)
        check_size(family, config, size)
        check_above_zero(deviation=deviation)
        if not math.isfinite(mean):
            raise ValueError(f"mean={mean!r}: a finite number is wanted")
        self.rows, self.bands = size
        self.mean, self.deviation = mean, deviation
        self.prefix, self.patch = family.prefix(config), config.patch_size
        self._span(1.0 if seconds is None else seconds)

    def cut(self, longest: float) -> None:
        self._span(longest)

    def said(self) -> list[float]:
        return [self.rows, self.bands, self.window, self.mean, self.deviation]

    def _span(self, seconds: float) -> None:
        check_above_zero(seconds=seconds)
        self.window = round(seconds * SECOND)
        self.hop = self.window // self.rows
        self.field = max(FIELD, 2 * self.hop)
        if self.hop < 1 or self.window < FIELD:
            raise ValueError(
                f"a picture of {seconds} s and {self.rows} rows: it must hold {FIELD / SECOND} s at least, and a "
                "sample a row"
            )
        self.size = 1 << (self.field - 1).bit_length()
        # The centre of a patch's middle frame; its first frame must lie within the sound.
        self.middle = (self.patch - 1) * self.hop // 2 + self.field // 2
        self.tail = self.field - self.middle
        self.hann = Constant(window_function(self.field, "hann", periodic=False))
        self.filters = Constant(
            mel_filter_bank(
                num_frequency_bins=self.size // 2 + 1,
                num_mel_filters=self.bands,
                min_frequency=20,
                max_frequency=SECOND // 2,
                sampling_rate=SECOND,
                norm=None,
                mel_scale="kaldi",
                triangularize_in_mel_space=True,
            )
        )

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        power = kaldi_power(wave, self.hann, self.hop, self.size, preemphasis=0.97)
        mel = log_mel(power, self.filters, FLOOR, "ln").transpose(1, 2)[:, : self.rows]
        inside = torch.arange(mel.shape[1], device=wave.device) * self.hop + self.field <= length[:, None]
        picture = ((mel - self.mean) / (2 * self.deviation)).masked_fill(~inside[..., None], 0)
        picture = F.pad(picture, (0, 0, 0, self.rows - picture.shape[1]))
        return {"pixels": picture[:, None].repeat(1, 3, 1, 1)}

    def centres(self, samples: int) -> Tensor:
        down = torch.arange(self.rows // self.patch) * self.patch * self.hop + self.middle
        return down.repeat_interleave(self.bands // self.patch)


def hearing(
    family: VisualFamily,
    *,
    size: tuple[int, int] | None = None,
    mean: float = MEAN,
    deviation: float = DEVIATION,
) -> AudioFamily:
    """A visual family's declaration as that of an audio family, which is shown pictures of sound.

    Args: see :class:`PictureFront`.
    """
    declared = {field.name: getattr(family, field.name) for field in fields(Family)}
    return AudioFamily(
        **declared, front=partial(PictureFront, family=family, size=size, mean=mean, deviation=deviation)
    )
