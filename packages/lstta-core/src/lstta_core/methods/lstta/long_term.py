"""Long-term semantic filtering: the semantic importance of every segment, judged over the whole clip.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention, masked_mean
from lstta_core.interfaces import TIMED, Modality
from lstta_core.methods.lstta.importance import Importance


@dataclass(frozen=True)
class LongTermOutput:
    """What the filter says of a clip.

    Attributes:
        context: (B, T, r), what each segment means within the whole clip; zeros for segments that hold nothing.
        clip_context: (B, r), its mean over the segments that hold something.
        log_importances: (B, T) for each modality, log g, 0 for segments that hold nothing; empty where the module has
            no importance. At least float32.
    """

    context: Tensor
    clip_context: Tensor
    log_importances: Mapping[Modality, Tensor]


def sinusoids(positions: int, width: int, like: Tensor) -> Tensor:
    """(positions, width): sine and cosine of the position at geometric frequencies (Vaswani et al. 2017)."""
    precise = torch.promote_types(like.dtype, torch.float32)
    rate = torch.arange(0, width, 2, device=like.device, dtype=precise) / width
    angle = torch.arange(positions, device=like.device, dtype=precise)[:, None] / 10000**rate
    table = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
    return table[:, :width].to(like.dtype)


class LongTermFilter(nn.Module):
    """Segment summaries of sight and sound and the summary of the text attend to each other over the whole clip.

    Args:
        width: r, of the bottleneck.
        heads: of the attention and of the importance.
        modalities: those that the model has; at least one of visual and audio.
        importance: whether importances are wanted; they are where the readout reads them.
        window: how many places around a segment the importance can look for what is asked; odd. 1 where there is no
            short-term module, which is the one that knows a segment's neighbours.
    """

    def __init__(
        self, *, width: int, heads: int, modalities: Sequence[Modality], importance: bool = True, window: int = 1
    ) -> None:
        super().__init__()
        self.timed = tuple(m for m in TIMED if m in modalities)
        if not self.timed:
            raise ValueError("long-term filtering needs a visual or an audio stream")
        self.time = nn.Linear(width, width, bias=False)
        self.kind = nn.ParameterDict({m: nn.Parameter(torch.randn(width) * 0.02) for m in modalities})
        self.norm = nn.LayerNorm(width)
        self.attention = MaskedAttention(width=width, heads=heads)
        self.context = nn.ModuleDict({m: nn.Linear(width, width, bias=False) for m in self.timed})
        self.importance: Importance | None = None
        if importance:
            text = Modality.LANGUAGE in modalities
            self.importance = Importance(width=width, heads=heads, window=window, timed=self.timed, text=text)

    def forward(self, tokens: Mapping[Modality, Tensor], masks: Mapping[Modality, Tensor]) -> LongTermOutput:
        """Judge every segment within its clip.

        Args:
            tokens: z_m, (B, T, N_m, r) for sight and sound, (B, S, L, r) for the text. Zero under a false mask.
            masks: (B, T, N_m) and (B, S, L), bool.
        """
        seen = {m: masks[m].any(-1) for m in self.timed}
        words = mask = None
        summaries, visible = [], []
        for modality in self.timed:
            z = tokens[modality]
            time = self.time(sinusoids(z.shape[1], z.shape[-1], z))
            summaries.append(masked_mean(z, masks[modality]) + time + self.kind[modality])
            visible.append(seen[modality])
        if Modality.LANGUAGE in self.kind:
            words, mask = tokens[Modality.LANGUAGE].flatten(1, 2), masks[Modality.LANGUAGE].flatten(1)
            summaries.append((masked_mean(words, mask) + self.kind[Modality.LANGUAGE])[:, None])
            visible.append(mask.any(1)[:, None])
        sequence = torch.cat(summaries, 1)
        normed = self.norm(sequence)
        attended = sequence + self.attention(normed, normed, torch.cat(visible, 1))

        segments = tokens[self.timed[0]].shape[1]
        own = {m: attended[:, at * segments : (at + 1) * segments] for at, m in enumerate(self.timed)}
        context = torch.stack([self.context[m](own[m] * seen[m][..., None]) for m in self.timed]).sum(0)
        clip_context = masked_mean(context, torch.stack(list(seen.values())).any(0))
        log_g = {} if self.importance is None else self.importance(own, seen, words, mask)
        return LongTermOutput(context, clip_context, log_g)
