"""Softmax, mean and multi-head attention under a boolean mask: for methods, readouts, and encoders made for tests."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis where the mask is true; over all of it where it is true nowhere, so never NaN.

    Args:
        scores: (…, N).
        mask: (…, N), bool; leading axes may be 1.
    """
    allowed = mask | ~mask.any(-1, keepdim=True)
    return scores.masked_fill(~allowed, float("-inf")).softmax(-1)


def masked_mean(tokens: Tensor, mask: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """The mean over these axes where the mask is true; zeros where it is true nowhere.

    Args:
        tokens: (…, D).
        mask: (…), bool, without the last axis of the tokens.
        axes: of the mask.
    """
    there = mask[..., None]
    return tokens.masked_fill(~there, 0).sum(axes) / there.sum(axes).clamp(min=1)


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """torch's scaled dot-product attention; on a CPU computed in float32 where what comes in is in half precision.

    torch's kernel for bfloat16 on a CPU takes five times as long as the one for float32, forward and backward, at the
    narrow heads of adapters (torch 2.13).

    Args:
        queries: (…, Q, d).
        keys: (…, K, d).
        values: (…, K, e).
        mask: (…, 1 or Q, K): bool, true for keys that may be seen; or added to the scores.

    Returns:
        (…, Q, e), in the precision of the queries.
    """
    if queries.device.type != "cpu" or queries.dtype not in (torch.bfloat16, torch.float16):
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    with torch.autocast("cpu", enabled=False):
        attended = F.scaled_dot_product_attention(
            queries.float(), keys.float(), values.float(), attn_mask=mask if mask.dtype == torch.bool else mask.float()
        )
    return attended.to(queries.dtype)


class MaskedAttention(nn.Module):
    """Scaled dot-product attention of queries over keys, with a mask and a bias for each key.

    A query that may see no key at all gets zeros, never NaN: absence is a boolean mask, never log 0.

    Args:
        width: r, of queries, keys and output.
        heads: h; each has ⌈r / h⌉ features, so any number goes with any width.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1:
            raise ValueError(f"attention needs at least one head, got heads={heads}")
        self.heads = heads
        inner = heads * -(-width // heads)
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner, bias=False)  # a bias here would cancel in the softmax
        self.value = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            queries: (B, Q, r).
            keys: (B, K, r), read as keys and as values.
            mask: (B, K), bool, true for keys that may be seen.
            bias: (B, heads or 1, K) or None, added to the logits of every query.

        Returns:
            (B, Q, r), zeros for clips whose mask is false everywhere.
        """
        seen = mask.any(-1)
        hidden = ~(mask | ~seen[:, None])[:, None, None]
        logits = torch.zeros_like(hidden, dtype=queries.dtype) if bias is None else bias[:, :, None].to(queries.dtype)
        logits = logits.masked_fill(hidden, float("-inf"))
        attended = attend(
            self._split(self.query(queries)), self._split(self.key(keys)), self._split(self.value(keys)), logits
        )
        out = self.out(attended.transpose(1, 2).flatten(2))
        return out * seen[:, None, None]

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)
