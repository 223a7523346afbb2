"""Perception Encoder Audiovisual (PE-AV; Vyas et al. 2025): what its two towers read, and the way to their blocks.

Each tower is a transformer over 25 sounds a second or over frames, behind a class token. What stands before it, the
encoder of DAC or a whole vision model that gives one feature a frame, belongs to the embedding here: adapters stand
between the transformer's blocks. The third transformer of a checkpoint, which reads both, is left out: it is no
encoder of one modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import PeAudioFeatureExtractor

from lstta_backbone_transformers.family import Features
from lstta_backbone_transformers.fronts import Front


class PerceptionFront(Front):
    """PE-AV: the waveform at 48 kHz, each mirrored at its end to whole steps of the codec (40 ms).

    The codec's convolutions see what lies behind a sound's end, so padding moves its last tokens.
    """

    prefix = 1
    padding_invariant = False

    def __init__(self, config: Any, settings: Mapping[str, Any], seconds: float | None) -> None:
        if seconds is not None:
            raise ValueError(f"{config.model_type} reads any length: leave seconds out, got {seconds}")
        extractor = PeAudioFeatureExtractor(**{"hop_length": config.dac_config.hop_length, **settings})
        if extractor.hop_length != config.dac_config.hop_length or extractor.feature_size != 1:
            raise ValueError(
                f"hop_length={extractor.hop_length}, feature_size={extractor.feature_size} of the checkpoint's "
                f"processor do not fit its codec, which reads one channel in steps of {config.dac_config.hop_length}"
            )
        self.sample_rate, self.step = extractor.sampling_rate, extractor.hop_length
        self.tail = 1 - self.step // 2  # a step counts where it begins within the sound

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        steps = -(-wave.shape[1] // self.step)
        place = torch.arange(steps * self.step, device=wave.device)
        period = (2 * length - 2).clamp(min=1)[:, None]
        mirrored = place % period
        mirrored = torch.minimum(mirrored, period - mirrored).clamp(0, wave.shape[1] - 1)
        begins = torch.arange(steps, device=wave.device) * self.step < length[:, None]
        filled = begins.repeat_interleave(self.step, 1)
        return {"input": (wave.gather(1, mirrored) * filled)[:, None], "mask": with_class(begins)}

    def centres(self, samples: int) -> Tensor:
        return torch.arange(-(-samples // self.step)) * self.step + self.step // 2


def with_class(mask: Tensor) -> Tensor:
    """(R, M) to (R, 1 + M): the class token is valid where the first of the others is, as the library has it."""
    return torch.cat([mask[:, :1], mask], 1)


def hear(model: Any, features: Features) -> Tensor:
    """The class token and those of the codec's steps."""
    return _behind_class(model, model.embedder(features["input"])[0], features)


def see(model: Any, features: Features) -> Tensor:
    """The class token and one of each frame."""
    return _behind_class(model, model.embedder(features["pixels"])[0], features)


def _behind_class(model: Any, tokens: Tensor, features: Features) -> Tensor:
    mask = features["mask"][:, 1:]
    mask = mask | ~mask.any(1, keepdim=True)  # the mean of nothing is not a number
    embedded: Tensor = model.patch_embedder(tokens, padding_mask=mask)[0]
    return embedded
