"""The pre-norm transformer block that all three encoders are made of (Xiong et al. 2020)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Self-attention and a two-layer perceptron, each with a norm before it and a residual around it.

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

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """(R, M, D), and which tokens may be attended to (R, M), bool, at least one a row; None for all."""
        q, k, v = self.qkv(self.norm1(tokens)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        keys = None if mask is None else mask[:, None, None]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        tokens = tokens + self.out(attended.transpose(1, 2).flatten(2))
        return tokens + self.mlp(self.norm2(tokens))


def attendable(mask: Tensor) -> Tensor:
    """A mask (R, M) in which rows without any content attend to everything: what they give is masked anyway."""
    return mask | ~mask.any(-1, keepdim=True)
