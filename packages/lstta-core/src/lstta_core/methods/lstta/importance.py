"""How important each segment is for what is asked: the text against all segments of the clip.

That importance is computed over the whole video is from the paper's abstract; the formulas are our choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lstta_core.attention import masked_softmax
from lstta_core.interfaces import Modality


class Importance(nn.Module):
    """What is asked meets what each segment means, and the segments of a clip share its importance.

    ::

        q      = q₀ + Σ_n softmax_n(u · z_n) z_n            over the words of the clip
        a      = h · softmax(W_a LN(q) + b_a)               which of h heads the question is for
        s_m[t] = Σ_i a_i (Q_i LN(q)) · (K_m,i LN(c[t])) / √r
        g_m[t] = T · softmax_t(s_m[t])                      over the T segments that hold something; 1 on average

    One head may look for what happens in a segment itself, another for what happened before it: a sum of a relation
    and of what it is a relation to cannot say which of both is meant, the choice of a head can (decision 13). K is
    zero at the start, hence g = 1.

    Args:
        width: r, of the bottleneck.
        heads: h; each has ⌈r / h⌉ features.
        timed: the modalities that have importances.
        text: whether the model has language; what is asked is the same for all clips where it has none.
    """

    def __init__(self, *, width: int, heads: int, timed: Sequence[Modality], text: bool) -> None:
        super().__init__()
        inner = heads * -(-width // heads)
        self.heads = heads
        self.asked = nn.Parameter(torch.randn(width) * 0.02)
        self.word = nn.Parameter(torch.randn(width) * width**-0.5) if text else None
        self.norm = nn.LayerNorm(width)
        self.norm_context = nn.LayerNorm(width)
        self.choice = nn.Linear(width, heads)
        self.query = nn.Linear(width, inner)
        self.key = nn.ModuleDict({m: nn.Linear(width, inner, bias=False) for m in timed})
        for weight in self.key.parameters():
            nn.init.zeros_(weight)

    def forward(
        self, context: Tensor, seen: Mapping[Modality, Tensor], words: Tensor | None, mask: Tensor | None
    ) -> dict[Modality, Tensor]:
        """Log g, (B, T) for each modality, 0 for segments that hold nothing; at least float32.

        Args:
            context: c, (B, T, r).
            seen: (B, T), bool, for each modality.
            words: z of the text, (B, L, r), zero under a false mask; None where the model has no language.
            mask: (B, L), bool; None likewise.
        """
        asked = self.norm(self._asked(words, mask).expand(len(context), -1))
        weights = self.heads * self.choice(asked).softmax(-1)
        query = (self.query(asked).unflatten(-1, (self.heads, -1)) * weights[..., None].to(asked.dtype)).flatten(1)
        meant = self.norm_context(context)
        log_g = {}
        for modality, there in seen.items():
            # (K c) · q for every segment is c · (Kᵀ q), and there is one q to many c.
            directions = query @ self.key[modality].weight
            scores = torch.einsum("btr,br->bt", meant, directions) * context.shape[-1] ** -0.5
            log_g[modality] = _shared_out(scores, there)
        return log_g

    def _asked(self, words: Tensor | None, mask: Tensor | None) -> Tensor:
        """q, (B, r) or (r,)."""
        if self.word is None or words is None or mask is None:
            return self.asked
        weights = masked_softmax(torch.einsum("blr,r->bl", words, self.word), mask)
        return self.asked + torch.einsum("bl,blr->br", weights, words)


def _shared_out(scores: Tensor, there: Tensor) -> Tensor:
    """(B, T): log of T · softmax over the T segments that are there, 0 elsewhere; half precision is too coarse."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    allowed = there | ~there.any(-1, keepdim=True)
    shares = scores.masked_fill(~allowed, float("-inf")).log_softmax(-1)
    return (shares + allowed.sum(-1, keepdim=True).to(scores.dtype).log()).masked_fill(~there, 0)
