"""The three encoders, the block that they are made of, and the weights that ship in this package.

Rows are segments. Weights are half precision on disk and float32 in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from typing import TypeVar, cast, final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from lstta_core.interfaces import AudioSpec, Encoder, EncoderState, LanguageSpec, Modality, VisualSpec
from lstta_core.streams import Layout

WEIGHTS = files("lstta_backbone_tiny") / "weights"
RATE, FFT, HOP, MELS = 16000, 512, 160, 64
PATCH_FRAMES, PATCH_MELS = 10, 32
PATCH_SAMPLES = HOP * PATCH_FRAMES
BANDS = MELS // PATCH_MELS
PAD, UNKNOWN, MASK = 0, 1, 2
SPECIAL = ("[PAD]", "[UNK]", "[MASK]")


class Block(nn.Module):
    """A pre-norm transformer block (Xiong et al. 2020).

    Self-attention and a two-layer perceptron, each with a norm before it and a residual around it.

    Args:
        width: D.
        heads: must divide D.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, mask: Tensor | None, count: int = 0) -> Tensor:
        """(R, M, D), and which tokens may be attended to (R, M), bool, at least one a row; None for all.

        The first ``count`` tokens are read by the others, and what becomes of them is left out: (R, M - count, D).
        """
        q, k, v = self.queries_keys_values(tokens)
        return self.attended(tokens[:, count:], q[:, :, count:], k, v, None if mask is None else mask[:, None, None])

    def queries_keys_values(self, tokens: Tensor) -> Tensor:
        """(R, M, D) to (3, R, H, M, d)."""
        qkv: Tensor = self.qkv(self.norm1(tokens))
        return qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)

    def attended(self, tokens: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """The tokens after attention under a mask (R, 1, 1 or M, keys), bool, and the perceptron."""
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        tokens = tokens + self.out(attended.transpose(1, 2).flatten(2))
        return tokens + self.mlp(self.norm2(tokens))


def attendable(mask: Tensor) -> Tensor:
    """A mask (R, M) in which rows without any content attend to everything: what they give is masked anyway."""
    return mask | ~mask.any(-1, keepdim=True)


class Tiny(Encoder):
    """What the three share: blocks of one width over rows that are segments, and a norm after the last.

    Subclasses are final. Each takes ``width``, D; ``depth``, the number of blocks; and ``heads``, which must divide D.
    """

    blocks: nn.ModuleList
    norm: nn.LayerNorm
    masked = True  # whether tokens of a row may be padding

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self._through(index, state))

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return extras

    def last_block_behind(self, state: EncoderState, count: int) -> Tensor:
        return self._through(-1, state, count)

    def _through(self, index: int, state: EncoderState, count: int = 0) -> Tensor:
        mask = attendable(state.mask) if self.masked else None
        return cast(Tensor, self.blocks[index](state.tokens, mask, count))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))


AnyTiny = TypeVar("AnyTiny", bound=Tiny)


def rows_as_segments(belongs: Tensor, segments: int) -> Layout:
    """Of rows that are segments, clip after clip; which of their tokens belong to the segment: (R, M), bool."""
    own = torch.arange(segments, device=belongs.device).repeat(len(belongs) // segments)[:, None]
    return Layout.regular(torch.where(belongs, own, -1), segments=segments, rows_per_clip=segments)


@final
class TinyVisual(Tiny):
    """A vision transformer over tubelets: a patch spans both frames of its segment, so that motion is visible.

    Args:
        size: (height, width) of a frame in pixels.
        patch: side of a patch in pixels; even, and must divide both. It is embedded in two steps, quarters first.
    """

    modality = Modality.VISUAL
    spec: VisualSpec
    masked = False

    def __init__(
        self, *, width: int = 128, depth: int = 4, heads: int = 4, size: tuple[int, int] = (48, 80), patch: int = 16
    ) -> None:
        super().__init__()
        self.widths = (width,) * depth
        if size[0] % patch or size[1] % patch or patch % 2:
            raise ValueError(f"patch={patch} must be even and divide both sides of size={size}")
        self.spec = VisualSpec(size=size, frames_per_segment=2)
        self.side = patch
        quarter = (2, patch // 2, patch // 2)
        self.quarters = nn.Conv3d(3, width // 2, kernel_size=quarter, stride=quarter)
        self.patch = nn.Conv3d(width // 2, width, kernel_size=(1, 2, 2), stride=(1, 2, 2))
        self.class_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.position = nn.Parameter(torch.randn(1, 1 + (size[0] // patch) * (size[1] // patch), width) * 0.02)
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        frames = inputs["frames"]
        segments = frames.shape[1]
        tokens = self.patches(frames.flatten(0, 1).permute(0, 4, 1, 2, 3).to(self.position.dtype) / 127.5 - 1)
        mask = inputs["mask"].flatten(0, 1).any(-1, keepdim=True).expand(-1, tokens.shape[1])
        patches = torch.arange(tokens.shape[1], device=tokens.device) > 0
        return EncoderState(tokens, mask, rows_as_segments(patches.expand(mask.shape), segments))

    def patches(self, pixels: Tensor) -> Tensor:
        """(R, 3, 2, H, W), −1 … 1, to (R, M, D): the class token and the patches, row by row."""
        tokens = self.patch(F.gelu(self.quarters(pixels))).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1) + self.position


@final
class TinyAudio(Tiny):
    """A transformer over patches of 0.1 s × 32 of 64 mel bands (100 frames a second).

    Args:
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
        tokens = (tokens.permute(0, 2, 3, 1) + self.band + self.time[:steps]).flatten(1, 2)
        begins = torch.arange(steps, device=sound.device).repeat(BANDS) * PATCH_SAMPLES
        mask = begins < length.flatten()[:, None]
        return EncoderState(tokens, mask, rows_as_segments(torch.ones_like(mask), segments))

    def log_mel(self, sound: Tensor) -> Tensor:
        """(R, n) int16 to (R, MELS, frames), float32, about −1 … 1; frames fill whole patches."""
        short = -sound.shape[-1] % PATCH_SAMPLES
        wave = F.pad(sound.float() / 32768, (FFT // 2, FFT // 2 + short - HOP))
        return scaled_log_mel(wave, self.window, HOP, self.mel)


def scaled_log_mel(wave: Tensor, window: Tensor, hop: int, mel: Tensor) -> Tensor:
    """A wave (R, n) through windows a hop apart and filters (mels, bins) to (R, mels, frames), about −1 … 1."""
    spectrum = torch.stft(wave, len(window), hop, window=window.float(), center=False, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    return ((mel.float() @ power + 1e-6).log() + 6) / 6


def mel_filters(mels: int = MELS, fft: int = FFT) -> NDArray[np.float32]:
    """(mels, fft // 2 + 1): triangular filters, evenly spaced on the mel scale (O'Shaughnessy 1987)."""
    bins = 2595 * np.log10(1 + np.linspace(0, RATE / 2, fft // 2 + 1) / 700)
    edges = np.linspace(0, bins[-1], mels + 2)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None).astype(np.float32)


class WordTokenizer:
    """Lower-case words and punctuation marks to ids; picklable.

    Args:
        words: the vocabulary after the special tokens, in the order of their ids.
        max_length: longer texts lose their end.
    """

    def __init__(self, words: Sequence[str], max_length: int = 64) -> None:
        self.words = tuple(words)
        self.max_length = max_length
        self.index = {word: len(SPECIAL) + i for i, word in enumerate(self.words)}

    def __call__(self, text: str) -> list[int]:
        """Ids of the words; words that the vocabulary lacks are ``[UNK]``."""
        return [self.index.get(word, UNKNOWN) for word in split_words(text)[: self.max_length]]

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Words and their ids."""
        return self.index

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.words)


def split_words(text: str) -> list[str]:
    """Lower-case words and single punctuation marks."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


@final
class TinyLanguage(Tiny):
    """A transformer over words.

    Args:
        words: the vocabulary.
        max_length: the longest text in words.
    """

    modality = Modality.LANGUAGE

    def __init__(
        self, *, words: Sequence[str], width: int = 128, depth: int = 4, heads: int = 4, max_length: int = 64
    ) -> None:
        super().__init__()
        self.widths = (width,) * depth
        tokenizer = WordTokenizer(words, max_length)
        self.spec = LanguageSpec(tokenize=tokenizer, max_length=max_length, pad_id=PAD)
        self.word = nn.Embedding(len(tokenizer), width)
        self.position = nn.Parameter(torch.randn(max_length, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        ids, mask = inputs["ids"].flatten(0, 1), inputs["mask"].flatten(0, 1)
        tokens = self.word(ids) + self.position[: ids.shape[1]]
        return EncoderState(tokens, mask, rows_as_segments(mask, inputs["ids"].shape[1]))


def visual() -> TinyVisual:
    """The pretrained visual encoder."""
    return _pretrained(TinyVisual())


def audio() -> TinyAudio:
    """The pretrained audio encoder."""
    return _pretrained(TinyAudio())


def language() -> TinyLanguage:
    """The pretrained language encoder."""
    return _pretrained(TinyLanguage(words=json.loads((WEIGHTS / "words.json").read_text(encoding="utf-8"))))


def _pretrained(encoder: AnyTiny) -> AnyTiny:
    with as_file(WEIGHTS / f"{encoder.modality}.safetensors") as path:
        tensors = load_file(path)
    encoder.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    encoder.name, encoder.licence = f"lstta-backbone-tiny/{encoder.modality}", "Apache-2.0"
    return encoder
