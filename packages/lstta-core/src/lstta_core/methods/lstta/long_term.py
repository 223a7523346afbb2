"""Long-term semantic filtering: the semantic importance of every segment, judged over the whole clip.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import TIMED, Modality
from lstta_core.methods.lstta.attention import Attention
from lstta_core.methods.lstta.importance import Importance
from lstta_core.methods.lstta.plan import Plan
from lstta_core.methods.projections import normed


@dataclass(frozen=True)
class LongTermOutput:
    """What the filter says of a clip.

    Attributes:
        context: (B, T, r), what each segment means within the whole clip; zeros for segments that hold nothing.
        clip_context: (B, 1, r), its mean over the segments that hold something; weighted with the importances where the
            text speaks, since then no readout reads them.
        log_importances: (B, T, n), log g of the n modalities with segments, 0 for segments that hold nothing; None
            where the module has no importance. At least float32.
    """

    context: Tensor
    clip_context: Tensor
    log_importances: Tensor | None


class LongTermFilter(nn.Module):
    """Segment summaries of sight and sound and the summary of the text attend to each other over the whole clip.

    Args:
        width: r, of the bottleneck.
        heads: of the attention and of the importance.
        modalities: those that the model has; at least one of visual and audio.
        importance: whether importances are wanted; they are where the readout reads them.
        window: of the short-term module that stands before, in segments, odd: the places around a segment where the
            importance can look for what is asked. None where there is none: a segment then knows no neighbours.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        modalities: Sequence[Modality],
        importance: bool = True,
        window: int | None = None,
    ) -> None:
        super().__init__()
        timed = [m for m in TIMED if m in modalities]
        if not timed:
            raise ValueError("long-term filtering needs a visual or an audio stream")
        self.time = nn.Linear(width, width, bias=False)
        self.kind = nn.Parameter(torch.randn(len(timed), width) * 0.02)
        self.text_kind = nn.Parameter(torch.randn(width) * 0.02) if Modality.LANGUAGE in modalities else None
        self.attention = Attention(width=width, heads=heads)
        self.context = nn.Linear(len(timed) * width, width, bias=False)
        self.importance: Importance | None = None
        if importance:
            self.importance = Importance(
                width=width,
                heads=heads,
                window=1 if window is None else window,
                parts=1 if window is None else 2,
                timed=len(timed),
                text=Modality.LANGUAGE in modalities,
            )

    def forward(self, z: Tensor, text: Tensor | None, plan: Plan, held: Tensor | None = None) -> LongTermOutput:
        """Judge every segment within its clip.

        Args:
            z: (B, T, N, r), of sight and sound side by side. Zero where nothing is.
            text: (B, S, L, r), or None.
            plan: of the batch.
            held: z before the short-term module, where there is one.
        """
        clips, segments, *_ = z.shape
        count = plan.means.shape[2]
        place = self.time(plan.time)[:, None] + self.kind
        summaries = [(plan.means @ z + place).flatten(1, 2)]
        words = None if text is None else text.flatten(1, 2)
        if words is not None and plan.text is not None and self.text_kind is not None:
            summaries.append(plan.text.means @ words + self.text_kind)
        sequence = torch.cat(summaries, 1)
        queries = normed(sequence)
        attended = sequence + self.attention(queries, self.attention.key_value(queries), plan.sequence)

        own = attended[:, : segments * count].view(clips, segments, count, -1)
        context = softly_normed(self.context((own * plan.seen).flatten(2)))
        log_g: Tensor | None = None
        if self.importance is not None:
            known = [own] if held is None else [own, plan.means @ held + place]
            log_g = self.importance(torch.stack(known, 3), words, plan)
        weights = plan.clip_means
        if log_g is not None and plan.text is not None and plan.text.speaks:
            weights = weights * log_g.exp().mean(-1)[:, None].to(weights.dtype)
        return LongTermOutput(context, weights @ context, log_g)


def softly_normed(context: Tensor) -> Tensor:
    """``(c − mean) / √(variance + 1)`` of each row over its r units: c − mean while it is small, of length √r at most.

    Every token of a clip is given the context, so what all contexts have in common moves all units at once, and AdamW
    moves it on without an end: to −10 within 400 steps, where GELU gives nothing (decision 20). Our choice.
    """
    return F.layer_norm(context, context.shape[-1:], eps=1.0)
