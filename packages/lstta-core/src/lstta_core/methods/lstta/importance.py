"""How important each segment is for what is asked: what the question names is looked for, and where around it.

That importance is computed over the whole video is from the paper's abstract; the formulas are our choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from lstta_core.attention import masked_softmax
from lstta_core.interfaces import Modality
from lstta_core.methods.lstta.windows import windows


class Importance(nn.Module):
    """What is asked meets what each segment holds, and the segments of a clip share its importance.

    ::

        q        = q₀ + Σ_n softmax_n(u · z_n) z_n                    over the words: what is looked for
        e_m,i[t] = (Q_i LN(q)) · (K_m,i LN(s_m[t])) / √d              found in segment t of sight or of sound, by head i
        q'       = q₀ + Σ_n softmax_n(u' · z_n) z_n                   over the words: where it is looked for
        a_m,i    = softmax(A_m,i LN'(q') + b_m,i)                     over the places of the window
        s_m[t]   = Σ_i ( e_m,i[t] + Σ_p a_m,i,p Σ_{m' ≠ m} e_m',i[t + p] )
        g_m[t]   = T · softmax_t(s_m[t])                              over the T segments that hold something

    A segment of sight matters where it holds what is looked for, or where the sound around it does, at the place that
    the question chooses. So the second in which a word is said and the second after, in which the answer is shown, both
    stand out, each in its own modality. A bilinear form of q alone cannot say 'after X' without also saying 'X'
    (decision 14). A modality that is alone looks at itself. K is zero at the start, hence g = 1.

    Args:
        width: r, of the bottleneck.
        heads: h; each has d = ⌈r / h⌉ features.
        window: w, how many places there are: a segment itself and its neighbours. Odd.
        timed: the modalities that have importances.
        text: whether the model has language; what is asked is the same for all clips where it has none.
    """

    def __init__(self, *, width: int, heads: int, window: int, timed: Sequence[Modality], text: bool) -> None:
        super().__init__()
        inner = heads * -(-width // heads)
        self.heads, self.window = heads, window
        self.asked = nn.Parameter(torch.randn(width) * 0.02)
        self.named = _WordsTogether(width, text=text)
        self.query = nn.Linear(width, inner)
        self.norm = nn.ModuleDict({m: nn.LayerNorm(width) for m in timed})
        self.key = nn.ModuleDict({m: nn.Linear(width, inner, bias=False) for m in timed})
        for weight in self.key.parameters():
            nn.init.zeros_(weight)
        self.meant: _WordsTogether | None = None
        if window > 1:
            self.meant = _WordsTogether(width, text=text)
            self.place = nn.ModuleDict({m: nn.Linear(width, heads * window) for m in timed})

    def forward(
        self,
        summaries: Mapping[Modality, Tensor],
        seen: Mapping[Modality, Tensor],
        words: Tensor | None,
        mask: Tensor | None,
    ) -> dict[Modality, Tensor]:
        """Log g, (B, T) for each modality, 0 for segments that hold nothing; at least float32.

        Args:
            summaries: s_m, (B, T, r), of each segment of each modality.
            seen: (B, T), bool, for each modality.
            words: z of the text, (B, L, r), zero under a false mask; None where the model has no language.
            mask: (B, L), bool; None likewise.
        """
        count = len(next(iter(summaries.values())))
        asked = self.asked.expand(count, -1)
        query = self.query(self.named(asked, words, mask)).unflatten(-1, (self.heads, -1))
        found = {m: self._found(m, query, summaries[m], there) for m, there in seen.items()}
        meant = None if self.meant is None else self.meant(asked, words, mask)
        log_g = {}
        for m, there in seen.items():
            elsewhere = [e for other, e in found.items() if other is not m] or [found[m]]
            around = windows(torch.stack(elsewhere).sum(0), self.window)
            if meant is None:
                scores = found[m].sum(-1) + around.sum((-2, -1))
            else:
                places = self.place[m](meant).unflatten(-1, (self.heads, self.window)).softmax(-1)
                scores = found[m].sum(-1) + torch.einsum("btph,bhp->bt", around, places)
            log_g[m] = _shared_out(scores, there)
        return log_g

    def _found(self, modality: Modality, query: Tensor, summary: Tensor, there: Tensor) -> Tensor:
        """e_m, (B, T, h); 0 where nothing is."""
        # (K s) · q for every segment is s · (Kᵀ q), and there is one q to many s.
        keys = cast(Tensor, self.key[modality].weight).unflatten(0, (self.heads, -1))
        directions = torch.einsum("bhd,hdr->bhr", query, keys) * query.shape[-1] ** -0.5
        scores = torch.einsum("btr,bhr->bth", self.norm[modality](summary), directions)
        return scores.masked_fill(~there[..., None], 0)


class _WordsTogether(nn.Module):
    """What is asked, with a mean of the words, weighted with a learned softmax, normed.

    Args:
        width: r.
        text: whether there are words.
    """

    def __init__(self, width: int, *, text: bool) -> None:
        super().__init__()
        self.word = nn.Parameter(torch.randn(width) * width**-0.5) if text else None
        self.norm = nn.LayerNorm(width)

    def forward(self, asked: Tensor, words: Tensor | None, mask: Tensor | None) -> Tensor:
        """(B, r), words (B, L, r) and mask (B, L) to (B, r)."""
        if self.word is not None and words is not None and mask is not None:
            weights = masked_softmax(torch.einsum("blr,r->bl", words, self.word), mask)
            asked = asked + torch.einsum("bl,blr->br", weights, words)
        return self.norm(asked)


def _shared_out(scores: Tensor, there: Tensor) -> Tensor:
    """(B, T): log of T · softmax over the T segments that are there, 0 elsewhere; half precision is too coarse."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    allowed = there | ~there.any(-1, keepdim=True)
    shares = scores.masked_fill(~allowed, float("-inf")).log_softmax(-1)
    return (shares + allowed.sum(-1, keepdim=True).to(scores.dtype).log()).masked_fill(~there, 0)
