"""A convolutional visual encoder: its blocks have no attention, its width grows and its tokens get fewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import cast, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core import Encoder, EncoderState, Layout, Modality, VisualSpec


class ConvBlock(nn.Module):
    """A residual of convolutions. Where the width changes, the grid is halved first.

    Args:
        before: channels that come in.
        after: channels that go out.
    """

    def __init__(self, *, before: int, after: int) -> None:
        super().__init__()
        self.down = nn.Identity() if before == after else nn.Conv2d(before, after, kernel_size=2, stride=2)
        self.norm = nn.GroupNorm(1, after)
        self.across = nn.Conv2d(after, after, kernel_size=3, padding=1, groups=after)
        self.mix = nn.Conv2d(after, after, kernel_size=1)

    def forward(self, grid: Tensor) -> Tensor:
        """(R, before, h, w) to (R, after, h, w), or to half of both sides."""
        grid = self.down(grid)
        return grid + self.mix(F.gelu(self.across(self.norm(grid))))


@final
class TemplateVisual(Encoder):
    """Frames, each by itself. Weights are random, from a seed: load yours at the same place.

    Args:
        size: (height, width) of a frame in pixels; multiples of 16.
        seed: of the weights.

    Raises:
        ValueError: a side is no multiple of 16.
    """

    modality = Modality.VISUAL
    widths = (24, 48, 96, 96)
    sides = (4, 4, 8, 16)  # pixels along one side of a token, before each block
    name = "lstta-backbone-template"
    licence = "Apache-2.0"

    def __init__(self, *, size: tuple[int, int] = (32, 48), seed: int = 0) -> None:
        super().__init__()
        if size[0] % 16 or size[1] % 16:
            raise ValueError(f"size={size}: both sides must be multiples of 16")
        self.spec = VisualSpec(size=(size[0], size[1]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Conv2d(3, self.widths[0], kernel_size=self.sides[0], stride=self.sides[0])
            changes = pairwise((self.widths[0], *self.widths))
            self.blocks = nn.ModuleList(ConvBlock(before=before, after=after) for before, after in changes)
            self.norm = nn.LayerNorm(self.widths[-1])

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """Rows are frames: (B, T, F, H, W, 3) uint8 to (B·T·F, tokens, 24)."""
        frames, mask = inputs["frames"], inputs["mask"]
        batch, segments, per_segment = mask.shape
        pixels = frames.flatten(0, 2).permute(0, 3, 1, 2).to(self.stem.weight.dtype) / 127.5 - 1
        tokens = _tokens(self.stem(pixels))
        rows, count = tokens.shape[:2]
        segment = torch.arange(segments, device=mask.device).repeat_interleave(per_segment).repeat(batch)
        layout = Layout.regular(segment[:, None].repeat(1, count), segments, rows_per_clip=segments * per_segment)
        return EncoderState(tokens, mask.reshape(rows, 1).expand(rows, count), layout)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        """Fewer tokens need a layout of their own; every token of a row belongs to the same segment."""
        height, width = (pixels // self.sides[index] for pixels in self.spec.size)
        grid = state.tokens.transpose(1, 2).unflatten(2, (height, width))
        tokens = _tokens(self.blocks[index](grid))
        count = tokens.shape[1]
        old = state.layout
        layout = Layout.regular(old.segment[:, :count], old.segments, old.rows_per_clip)
        return replace(state, tokens=tokens, mask=state.mask[:, :count], layout=layout)

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))


def _tokens(grid: Tensor) -> Tensor:
    """(R, D, h, w) to (R, h·w, D)."""
    return grid.flatten(2).transpose(1, 2)
