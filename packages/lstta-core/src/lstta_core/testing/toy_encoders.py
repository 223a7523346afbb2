"""Three very small encoders with random weights, for tests. Between them they have the shapes that are hard to serve.

``ToyVisual`` merges tokens and changes its width between blocks; ``ToyAudio`` reads a whole clip and its segments hold
unequal numbers of tokens; ``ToyLanguage`` carries something besides its tokens from block to block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention
from lstta_core.interfaces import (
    AudioSpec,
    Encoder,
    EncoderState,
    LanguageSpec,
    Modality,
    VisualSpec,
)
from lstta_core.streams import Layout


class ToyBlock(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, *, width: int, heads: int = 2) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = MaskedAttention(width=width, heads=heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, mask: Tensor, bias: Tensor | None = None) -> Tensor:
        normed = self.norm1(tokens)
        tokens = tokens + self.attention(normed, normed, mask, bias)
        return tokens + self.mlp(self.norm2(tokens))


class ToyVisual(Encoder):
    """Rows are frames: a class token and 2 × 3 patches of 4 × 4 pixels. After block 0 pairs of patches are merged."""

    modality = Modality.VISUAL
    widths = (12, 12)

    def __init__(self) -> None:
        super().__init__()
        self.spec = VisualSpec(size=(8, 12))
        self.patches = nn.Linear(4 * 4 * 3, 8)
        self.class_token = nn.Parameter(torch.randn(8))
        self.position = nn.Parameter(torch.randn(6, 8) * 0.1)
        self.blocks = nn.ModuleList([ToyBlock(width=8), ToyBlock(width=12)])
        self.merge = nn.Linear(16, 12)
        self.grow = nn.Linear(8, 12)
        self.norm = nn.LayerNorm(12)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        batch, segments, count = inputs["mask"].shape
        pixels = inputs["frames"].to(self.class_token.dtype) / 127.5 - 1
        grid = pixels.unflatten(3, (2, 4)).unflatten(5, (3, 4))  # (B, T, F, 2, 4, 3, 4, 3)
        patches = grid.permute(0, 1, 2, 3, 5, 4, 6, 7).reshape(batch * segments * count, 6, -1)
        tokens = self.patches(patches) + self.position
        tokens = torch.cat([self.class_token.expand(len(tokens), 1, -1), tokens], 1)
        frames = inputs["mask"].flatten()
        mask = frames[:, None].expand(-1, 7)
        return EncoderState(tokens, mask, self._layout(inputs["mask"], 7))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        tokens = self.blocks[index](state.tokens, state.mask)
        if index > 0:
            return state.with_tokens(tokens)
        merged = self.merge(tokens[:, 1:].unflatten(1, (3, 2)).flatten(2))
        tokens = torch.cat([self.grow(tokens[:, :1]), merged], 1)
        old = state.layout
        layout = Layout.regular(old.segment[:, :4], old.segments, old.rows_per_clip)
        return replace(state, tokens=tokens, mask=state.mask[:, :4], layout=layout)

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))

    def _layout(self, mask: Tensor, tokens: int) -> Layout:
        batch, segments, count = mask.shape
        segment = torch.arange(segments, device=mask.device).expand(batch, -1)
        rows = segment[..., None].expand(-1, -1, count).flatten()[:, None].repeat(1, tokens)
        rows[:, 0] = -1
        return Layout.regular(rows, segments, segments * count)


class ToyAudio(Encoder):
    """Rows are clips: the segments joined end to end, a token every 11 samples, wherever segments begin."""

    modality = Modality.AUDIO
    widths = (10, 10, 10)
    hop = 11

    def __init__(self) -> None:
        super().__init__()
        self.spec = AudioSpec(sample_rate=47, span="clip")
        self.frames = nn.Linear(self.hop, 10)
        self.blocks = nn.ModuleList([ToyBlock(width=10) for _ in range(3)])
        self.norm = nn.LayerNorm(10)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        _, segments, samples = inputs["sound"].shape
        count = -(-segments * samples // self.hop)
        joined = F.pad(inputs["sound"].flatten(1), (0, count * self.hop - segments * samples))
        joined = joined.unflatten(1, (count, self.hop))
        tokens = self.frames(joined.to(self.frames.weight.dtype) / 32768)
        start = torch.arange(count, device=tokens.device) * self.hop
        tokens = tokens + (start * 0.01).sin()[:, None].to(tokens.dtype)
        heard = inputs["length"].sum(1)
        mask = start < heard[:, None]
        segment = torch.where(mask, start // samples, -1)
        return EncoderState(tokens, mask, Layout.ragged(segment, segments, 1))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, state.mask))

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return extras

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))


def toy_tokenize(text: str) -> list[int]:
    """1 to begin with, then a number for each word; 17 in all at most."""
    return [1, *(2 + sum(word.encode()) % 29 for word in text.split())][:17]


class ToyLanguage(Encoder):
    """Rows are texts. Later words weigh more in attention: a bias that embed makes and every block needs."""

    modality = Modality.LANGUAGE
    widths = (6, 6)

    def __init__(self) -> None:
        super().__init__()
        self.spec = LanguageSpec(tokenize=toy_tokenize, max_length=17)
        self.words = nn.Embedding(31, 6)
        self.slope = nn.Parameter(torch.tensor(0.1))
        self.blocks = nn.ModuleList([ToyBlock(width=6, heads=3) for _ in range(2)])
        self.norm = nn.LayerNorm(6)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        _, segments, length = inputs["ids"].shape
        ids, mask = inputs["ids"].flatten(0, 1), inputs["mask"].flatten(0, 1)
        place = torch.arange(length, device=ids.device)
        bias = (self.slope * place).expand(len(ids), 1, -1)
        segment = (torch.arange(len(ids), device=ids.device) % segments)[:, None].repeat(1, length)
        segment = torch.where(place == 0, -1, segment)
        return EncoderState(self.words(ids), mask, Layout.regular(segment, segments, segments), {"bias": bias})

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, state.mask, state.extras["bias"]))

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return {name: F.pad(bias, (count, 0)) for name, bias in extras.items()}

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))


def toy_encoders() -> dict[Modality, Encoder]:
    """One of each, freshly initialised."""
    return {Modality.VISUAL: ToyVisual(), Modality.AUDIO: ToyAudio(), Modality.LANGUAGE: ToyLanguage()}
