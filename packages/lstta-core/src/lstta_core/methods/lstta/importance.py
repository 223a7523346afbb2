"""How important each segment is for what is asked: what the question names is looked for, and where around it.

That importance is computed over the whole video is from the paper's abstract; the formulas are our choice.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.methods.lstta.plan import Plan
from lstta_core.methods.lstta.windows import windows
from lstta_core.methods.projections import normed


class Importance(nn.Module):
    """What is asked meets what each segment holds, and the segments of a clip share its importance.

    ::

        q        = LN(q₀ + Σ_n softmax_n(u · z_n) z_n)                over the words: what is looked for
        e_m,i[t] = (Q_i q) · (K_m,i LN(u_m[t]) + K'_m,i LN(o_m[t])) / √d
                                                                      found in segment t of sight or of sound, by head i
        q'       = LN(q₀ + Σ_n softmax_n(u' · z_n) z_n)               over the words: where it is looked for
        a_m,i    = softmax(A_m,i q' + b_m,i)                          over the places of the window
        s_m[t]   = Σ_i ( e_m,i[t] + Σ_p a_m,i,p Σ_{m' ≠ m} e_m',i[t + p] )
        g_m[t]   = T · softmax_t(s_m[t])                              over the T segments that hold something

    A segment of sight matters where it holds what is looked for, or where the sound around it does, at the place that
    the question chooses. So the second in which a word is said and the second after, in which the answer is shown, both
    stand out, each in its own modality. A bilinear form of q alone cannot say 'after X' without also saying 'X'
    (decision 14). A modality that is alone looks at itself. K and K' are zero at the start, hence g = 1.

    u is a segment behind both modules' attention, o what it holds itself: where the short-term module has brought in
    what neighbours hold, u alone hardly tells which of them holds it (decision 29). Without that module there is no o.

    Args:
        width: r, of the bottleneck.
        heads: h; each has d = ⌈r / h⌉ features.
        window: w, how many places there are: a segment itself and its neighbours. Odd.
        parts: what is known of each segment: 1 for u, 2 for u and o.
        timed: n, how many modalities have importances: one or two.
        text: whether the model has language; what is asked is the same for all clips where it has none.
    """

    def __init__(self, *, width: int, heads: int, window: int, parts: int, timed: int, text: bool) -> None:
        super().__init__()
        self.heads, self.window, self.parts, self.timed = heads, window, parts, timed
        inner = heads * -(-width // heads)
        self.asked = nn.Parameter(torch.randn(width) * 0.02)
        # What is looked for and, where there is a choice, where around it.
        self.words = nn.Parameter(torch.randn(1 + (window > 1), width) * width**-0.5) if text else None
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(parts * width, timed * inner, bias=False)
        nn.init.zeros_(self.key.weight)
        self.place = nn.Linear(width, timed * heads * window) if window > 1 else None

    def forward(self, summaries: Tensor, words: Tensor | None, plan: Plan) -> Tensor:
        """Log g, (B, T, n), 0 for segments that hold nothing; at least float32.

        Args:
            summaries: u and, where it is there, o, (B, T, n, parts, r), of each segment of each modality.
            words: z of the text, (B, L, r), zero where nothing is; None where the model has no language.
            plan: of the batch.
        """
        asked = self._asked(words, plan).expand(len(summaries), -1, -1)
        found = self._found(asked[:, 0], summaries).masked_fill(plan.unseen, 0)
        elsewhere = found.flip(2) if self.timed > 1 else found
        if self.place is None:
            scores = (found + elsewhere).sum(-1)
        else:
            places = self.place(asked[:, 1]).unflatten(-1, (1, self.timed, self.heads, self.window)).softmax(-1)
            scores = found.sum(-1) + (windows(elsewhere, self.window) * places).sum((-2, -1))
        return self._shared_out(scores, plan)

    def _asked(self, words: Tensor | None, plan: Plan) -> Tensor:
        """(B or 1, 1 or 2, r), what is looked for and where."""
        asked = self.asked.expand(1, 2, -1)
        if self.words is not None and words is not None and plan.text is not None:
            weights = F.linear(words, self.words).masked_fill(plan.text.words_hidden, float("-inf")).softmax(1)
            asked = self.asked + weights.transpose(1, 2) @ words
        return normed(asked)

    def _found(self, asked: Tensor, summaries: Tensor) -> Tensor:
        """e, (B, T, n, h)."""
        # (K s) · q for every segment is s · (Kᵀ q), and there is one q to many s.
        query = self.query(asked).unflatten(-1, (self.heads, -1))
        query = query * query.shape[-1] ** -0.5
        keys = self.key.weight.unflatten(0, (self.timed, self.heads, -1))
        directions = torch.einsum("bhd,nhdr->bnrh", query, keys)
        return torch.einsum("btnr,bnrh->btnh", normed(summaries).flatten(3), directions)

    def _shared_out(self, scores: Tensor, plan: Plan) -> Tensor:
        """(B, T, n): log of T · softmax over the T segments that are there; half precision is too coarse."""
        scores = scores.to(plan.log_counts.dtype)
        shares = scores.masked_fill(plan.left_out, float("-inf")).log_softmax(1)
        return (shares + plan.log_counts).masked_fill(plan.unseen[..., 0], 0)
