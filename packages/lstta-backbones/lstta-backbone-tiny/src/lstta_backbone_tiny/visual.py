"""The visual encoder: patches over two frames of a segment, and a class token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_backbone_tiny.block import Block
from lstta_core.interfaces import Encoder, EncoderOutput, EncoderState, Modality, VisualSpec
from lstta_core.layout import Layout


@final
class TinyVisual(Encoder):
    """A vision transformer over tubelets: a patch spans both frames of its segment, so that motion is visible.

    Args:
        width: D.
        depth: number of blocks.
        heads: must divide D.
        size: (height, width) of a frame in pixels.
        patch: side of a patch in pixels; even, and must divide both. It is embedded in two steps, quarters first.
    """

    modality = Modality.VISUAL

    def __init__(
        self, *, width: int = 128, depth: int = 4, heads: int = 4, size: tuple[int, int] = (48, 80), patch: int = 16
    ) -> None:
        super().__init__()
        if size[0] % patch or size[1] % patch or patch % 2:
            raise ValueError(f"patch={patch} must be even and divide both sides of size={size}")
        self.widths = (width,) * depth
        self.spec = VisualSpec(size=size, frames_per_segment=2)
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
        pixels = frames.flatten(0, 1).permute(0, 4, 1, 2, 3).to(self.position.dtype) / 127.5 - 1
        tokens = self.patch(F.gelu(self.quarters(pixels))).flatten(2).transpose(1, 2)
        rows = tokens.shape[0]
        tokens = torch.cat([self.class_token.expand(rows, -1, -1), tokens], 1) + self.position
        segment = torch.arange(segments, device=frames.device).repeat(rows // segments)
        segment = segment[:, None].repeat(1, tokens.shape[1])
        segment[:, 0] = -1
        layout = Layout.regular(segment, segments=segments, rows_per_clip=segments)
        mask = inputs["mask"].flatten(0, 1).any(-1, keepdim=True).expand(-1, tokens.shape[1])
        return EncoderState(tokens, mask, layout)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, None))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> EncoderOutput:
        """Pooled is the class token."""
        tokens = self.norm(state.tokens)
        return EncoderOutput(tokens, tokens[:, 0])
