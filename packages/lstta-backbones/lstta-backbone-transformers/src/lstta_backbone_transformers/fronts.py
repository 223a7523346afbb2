"""What an audio architecture hears: from a waveform to the features that its embedding reads.

Settings are those of the library's own feature extractors, whose defaults and mel filters are used. ``wave`` is (R, L)
float32 in [−1, 1), zero from ``length`` (R,) on. A front also says when each token sounds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import ASTFeatureExtractor, ClapFeatureExtractor, Wav2Vec2FeatureExtractor, WhisperFeatureExtractor
from transformers.audio_utils import mel_filter_bank, window_function

from lstta_backbone_transformers.constants import Constant
from lstta_backbone_transformers.spectrogram import centred_power, kaldi_power, log_mel

MEL_FLOOR = 1e-10


class Front(ABC):
    """One kind of input.

    Attributes:
        sample_rate: in Hz.
        window: L in samples where the architecture has a fixed length, else None.
        prefix: class tokens in front of those that sound.
        tail: how many samples from its centre on must be there for a token to count as heard.
        padding_invariant: whether padding leaves valid tokens as they are.
    """

    sample_rate: int
    window: int | None = None
    prefix: int = 0
    tail: int = 1
    padding_invariant: bool = True

    def cut(self, longest: float) -> None:
        """Where the fixed length is one that can be shorter, hear no more padding than rows of so many seconds need."""
        return

    def said(self) -> list[float]:
        """Settings that count in the digest of the weights, since neither these nor the encoder's spec say them."""
        return []

    @abstractmethod
    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        """``input``, and ``mask`` (R, M) where the blocks mask what is not heard."""

    @abstractmethod
    def centres(self, samples: int) -> Tensor:
        """The sample at the centre of each token of a row of that many samples, prefix left out; int64."""

    def heard(self, centres: Tensor, length: Tensor) -> Tensor:
        """(R, M), bool: which tokens lie within the first ``length`` (R,) samples of their row."""
        return centres + self.tail <= length[:, None]


class WaveformFront(Front):
    """wav2vec 2.0, HuBERT, WavLM: the waveform itself, normalised to mean 0 and variance 1 where the checkpoint asks.

    Checkpoints with group norm were trained on padding that is attended to; they get no mask, and padding moves them.
    """

    def __init__(self, config: Any, settings: Mapping[str, Any], seconds: float | None) -> None:
        if seconds is not None:
            raise ValueError(f"{config.model_type} reads any length: leave seconds out, got {seconds}")
        extractor = Wav2Vec2FeatureExtractor(**settings)
        self.sample_rate = extractor.sampling_rate
        self.normalise = extractor.do_normalize
        self.padding_invariant = config.feat_extract_norm == "layer"
        self.stride = math.prod(config.conv_stride)
        self.field = 1
        for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
            self.field = (self.field - 1) * stride + kernel
        self.tail = self.field - self.field // 2

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        if self.normalise:
            valid = torch.arange(wave.shape[1], device=wave.device) < length[:, None]
            count = length.clamp(min=1)[:, None]
            mean = (wave * valid).sum(1, keepdim=True) / count
            centred = (wave - mean) * valid
            wave = centred / (centred.square().sum(1, keepdim=True) / count + 1e-7).sqrt()
        if not self.padding_invariant:
            return {"input": wave}
        return {"input": wave, "mask": self.heard(self.centres(wave.shape[1]).to(wave.device), length)}

    def centres(self, samples: int) -> Tensor:
        count = (samples - self.field) // self.stride + 1
        if count < 1:
            raise ValueError(
                f"the encoder needs at least {self.field} samples ({1000 * self.field / self.sample_rate:.0f} ms) a "
                f"row, got {samples}: use longer segments, or span='clip'"
            )
        return torch.arange(count) * self.stride + self.field // 2


class WhisperFront(Front):
    """Whisper: log10-mel of 10 ms, the 8 decades below the loudest value of the row, always 30 s.

    With ``seconds``, or :meth:`cut`, the position table is cut and shorter rows are read. The encoder never saw such
    rows in training and its features change (our choice): a config whose clips hold three seconds of sound cuts it to
    three, since 27 seconds of padding are ten times as many tokens; ``seconds=30`` hears them.
    """

    def __init__(self, config: Any, settings: Mapping[str, Any], seconds: float | None) -> None:
        extractor = WhisperFeatureExtractor(**{"feature_size": config.num_mel_bins, **settings})
        self.sample_rate, self.hop = extractor.sampling_rate, extractor.hop_length
        self.step = 2 * self.hop
        self.longest = longest = config.max_source_positions * self.step
        self.window = longest if seconds is None else round(seconds * self.sample_rate)
        if not 0 < self.window <= longest or self.window % self.step:
            raise ValueError(
                f"seconds={seconds} must be a multiple of {self.step / self.sample_rate} and at most "
                f"{longest / self.sample_rate}, the length of the position table"
            )
        self.filters = Constant(extractor.mel_filters)
        self.hann = Constant(window_function(extractor.n_fft, "hann"))

    def cut(self, longest: float) -> None:
        steps = math.ceil(round(longest * self.sample_rate / self.step, 6))
        self.window = min(self.longest, max(steps, 1) * self.step)

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        mel = log_mel(centred_power(wave, self.hann, self.hop)[..., :-1], self.filters, MEL_FLOOR, "log10")
        mel = mel.maximum(mel.amax((1, 2), keepdim=True) - 8)
        return {"input": (mel + 4) / 4}

    def centres(self, samples: int) -> Tensor:
        return torch.arange(samples // self.step) * self.step + self.step // 2


class ASTFront(Front):
    """AST: Kaldi's filter banks of 10 ms, silence added after the logarithm, always as many frames as it has places."""

    def __init__(self, config: Any, settings: Mapping[str, Any], seconds: float | None) -> None:
        if seconds is not None:
            raise ValueError(f"AST has a fixed length of {config.max_length} frames: leave seconds out, got {seconds}")
        extractor = ASTFeatureExtractor(
            **{"num_mel_bins": config.num_mel_bins, "max_length": config.max_length, **settings}
        )
        self.sample_rate, self.frames = extractor.sampling_rate, extractor.max_length
        self.mean: float = extractor.mean if extractor.do_normalize else 0.0
        self.deviation: float = extractor.std if extractor.do_normalize else 0.5
        self.hop, self.size = 160, 512
        self.window, self.prefix = self.frames * self.hop, 2
        self.patch, self.strides = config.patch_size, (config.frequency_stride, config.time_stride)
        self.mels = extractor.num_mel_bins
        self.hann = Constant(window_function(400, "hann", periodic=False))
        self.filters = Constant(
            mel_filter_bank(
                num_frequency_bins=self.size // 2 + 1,
                num_mel_filters=self.mels,
                min_frequency=20,
                max_frequency=self.sample_rate // 2,
                sampling_rate=self.sample_rate,
                norm=None,
                mel_scale="kaldi",
                triangularize_in_mel_space=True,
            )
        )

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        power = kaldi_power(wave, self.hann, self.hop, self.size, preemphasis=0.97)
        mel = log_mel(power, self.filters, 1.192092955078125e-07, "ln").transpose(1, 2)
        inside = torch.arange(mel.shape[1], device=wave.device) * self.hop + 400 <= length[:, None]
        mel = mel.masked_fill(~inside[..., None], 0)
        mel = torch.nn.functional.pad(mel, (0, 0, 0, self.frames - mel.shape[1]))
        return {"input": (mel - self.mean) / (2 * self.deviation)}

    def centres(self, samples: int) -> Tensor:
        rows = (self.mels - self.patch) // self.strides[0] + 1
        columns = (self.frames - self.patch) // self.strides[1] + 1
        frame = torch.arange(columns) * self.strides[1] + self.patch // 2
        return (frame * self.hop).repeat(rows)


class ClapFront(Front):
    """CLAP: decibel mels of 10 s, short sound repeated, folded by the model into a square picture.

    Rows are never longer than 10 s, so fusion checkpoints always take their path for short sound. The library instead
    declares a random sound of each batch 'longer'; equal features every time are worth more here (our choice).
    """

    def __init__(self, config: Any, settings: Mapping[str, Any], seconds: float | None) -> None:
        truncation = "fusion" if config.enable_fusion else "rand_trunc"
        extractor = ClapFeatureExtractor(**{"feature_size": config.num_mel_bins, "truncation": truncation, **settings})
        if seconds is not None:
            raise ValueError(f"CLAP has a fixed length of {extractor.max_length_s} s: leave seconds out, got {seconds}")
        if extractor.padding not in ("repeatpad", "repeat", "pad"):
            raise ValueError(f"padding={extractor.padding!r} of the checkpoint's processor is not known")
        fusion = extractor.truncation == "fusion"
        self.sample_rate, self.hop = extractor.sampling_rate, extractor.hop_length
        self.window, self.padding = int(extractor.nb_max_samples), extractor.padding
        self.filters = Constant(extractor.mel_filters if fusion else extractor.mel_filters_slaney)
        self.hann = Constant(window_function(extractor.fft_window_size, "hann"))
        stride = config.patch_stride
        self.strides = (stride, stride) if isinstance(stride, int) else tuple(stride)
        self.spec_size, self.folds = config.spec_size, config.spec_size // config.num_mel_bins

    def features(self, wave: Tensor, length: Tensor) -> dict[str, Tensor]:
        if self.padding != "pad":
            length = length.clamp(min=1)[:, None]
            place = torch.arange(wave.shape[1], device=wave.device).expand_as(wave)
            whole = wave.shape[1] // length * length
            repeated = wave.gather(1, place % length)
            wave = repeated if self.padding == "repeat" else repeated * (place < whole)
        mel = log_mel(centred_power(wave, self.hann, self.hop), self.filters, MEL_FLOOR, "dB")
        return {"input": mel.transpose(1, 2)[:, None]}

    def centres(self, samples: int) -> Tensor:
        height, width = self.spec_size // self.strides[0], self.spec_size // self.strides[1]
        fold = torch.arange(height) * self.folds // height
        place = (fold[:, None] + (torch.arange(width) + 0.5) / width) / self.folds
        return (place * samples).long().flatten()
