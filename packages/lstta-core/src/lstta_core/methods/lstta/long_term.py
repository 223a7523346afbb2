"""Long-term semantic filtering: the semantic importance of every segment, judged over the whole clip.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention, masked_mean
from lstta_core.interfaces import TIMED, Modality


@dataclass(frozen=True)
class LongTermOutput:
    """What the filter says of a clip.

    Attributes:
        context: (B, T, r), what each segment means within the whole clip; zeros for segments that hold nothing.
        clip_context: (B, r), its mean over the segments that hold something.
        log_importances: (B, T) for each modality, log g with g in (0, 2), 0 for segments that hold nothing; empty
            where the module has no gate. At least float32.
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
        heads: of the attention.
        modalities: those that the model has; at least one of visual and audio.
        gate: whether importances are wanted. They are where language reads them or the readout does.
    """

    def __init__(self, *, width: int, heads: int, modalities: Sequence[Modality], gate: bool = True) -> None:
        super().__init__()
        self.timed = tuple(m for m in TIMED if m in modalities)
        if not self.timed:
            raise ValueError("long-term filtering needs a visual or an audio stream")
        self.time = nn.Linear(width, width, bias=False)
        self.kind = nn.ParameterDict({m: nn.Parameter(torch.randn(width) * 0.02) for m in modalities})
        self.norm = nn.LayerNorm(width)
        self.attention = MaskedAttention(width=width, heads=heads)
        self.context = nn.ModuleDict({m: nn.Linear(width, width, bias=False) for m in self.timed})
        self.gate: nn.Linear | None = None
        if gate:
            self.gate = nn.Linear(width, len(self.timed))
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)

    def forward(self, tokens: Mapping[Modality, Tensor], masks: Mapping[Modality, Tensor]) -> LongTermOutput:
        """Judge every segment within its clip.

        Args:
            tokens: z_m, (B, T, N_m, r) for sight and sound, (B, S, L, r) for the text. Zero under a false mask.
            masks: (B, T, N_m) and (B, S, L), bool.
        """
        summaries, seen = [], []
        for modality in self.timed:
            z, mask = tokens[modality], masks[modality]
            time = self.time(sinusoids(z.shape[1], z.shape[-1], z))
            summaries.append(masked_mean(z, mask) + time + self.kind[modality])
            seen.append(mask.any(-1))
        if Modality.LANGUAGE in self.kind:
            z, mask = tokens[Modality.LANGUAGE], masks[Modality.LANGUAGE]
            text = masked_mean(z.flatten(1, 2), mask.flatten(1))
            summaries.append((text + self.kind[Modality.LANGUAGE])[:, None])
            seen.append(mask.any((1, 2))[:, None])
        sequence, visible = torch.cat(summaries, 1), torch.cat(seen, 1)
        normed = self.norm(sequence)
        attended = sequence + self.attention(normed, normed, visible)

        segments = tokens[self.timed[0]].shape[1]
        context = torch.zeros_like(attended[:, :segments])
        for place, modality in enumerate(self.timed):
            part = attended[:, place * segments : (place + 1) * segments] * seen[place][..., None]
            context = context + self.context[modality](part)
        clip_context = masked_mean(context, torch.stack(seen[: len(self.timed)]).any(0))
        if self.gate is None:
            return LongTermOutput(context, clip_context, {})
        gate = self.gate(context)
        # log 2σ(x), stable for large |x|; half precision would round it too coarsely
        log_g = math.log(2) + F.logsigmoid(gate.to(torch.promote_types(gate.dtype, torch.float32)))
        importances = {m: log_g[..., i].masked_fill(~seen[i], 0) for i, m in enumerate(self.timed)}
        return LongTermOutput(context, clip_context, importances)
