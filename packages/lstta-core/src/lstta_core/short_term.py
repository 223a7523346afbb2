"""Short-term semantic interaction: what the modalities say to each other within a few segments.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention
from lstta_core.interfaces import TIMED, Modality


class Latents(nn.Module):
    """A segment in a few vectors: k learned queries each take a weighted mean of the segment's tokens.

    Args:
        width: r.
        count: k.
    """

    def __init__(self, *, width: int, count: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(count, width) * width**-0.5)
        self.project = nn.Linear(width, width)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S, N, r) and its mask (B, S, N) to (B, S, k, r), zeros where nothing is seen, and (B, S) seen."""
        seen = mask.any(-1)
        allowed = mask | ~seen[..., None]
        scores = torch.einsum("bsnr,kr->bskn", tokens, self.queries)
        weights = scores.masked_fill(~allowed[:, :, None], float("-inf")).softmax(-1)
        latents = self.project(torch.einsum("bskn,bsnr->bskr", weights, tokens))
        return latents * seen[..., None, None], seen


def windows(values: Tensor, window: int) -> Tensor:
    """(B, T, …) to (B, T, window, …): what lies around each segment; zeros (false) beyond the clip's ends."""
    reach = window // 2
    padded = F.pad(values, [0, 0] * (values.ndim - 2) + [reach, reach])
    segments = values.shape[1]
    return torch.stack([padded[:, offset : offset + segments] for offset in range(window)], dim=2)


class ShortTermInteraction(nn.Module):
    """Tokens of a segment attend to the latents of sight and sound in the segments around it, and to the text there.

    A text that belongs to the whole clip (S = 1) is around every segment, and its own tokens attend to the latents of
    all segments. Timed text (S = T) is read and reads within the window, like the other two. Language attends with
    the log importances as a bias on the latents: there unimportant segments are suppressed.

    Args:
        width: r, of the bottleneck.
        heads: of the attention.
        latents: k, how many a segment of one modality is summarised in.
        window: w, in segments, odd; 1 is the segment alone.
        modalities: those that the model has; at least one of visual and audio.
    """

    def __init__(self, *, width: int, heads: int, latents: int, window: int, modalities: Sequence[Modality]) -> None:
        super().__init__()
        if window < 1 or window % 2 == 0:
            raise ValueError(f"window must be a positive odd number of segments, got {window}")
        self.timed = tuple(m for m in TIMED if m in modalities)
        if not self.timed:
            raise ValueError("short-term interaction needs a visual or an audio stream")
        self.window = window
        self.latents = nn.ModuleDict({m: Latents(width=width, count=latents) for m in self.timed})
        self.offset = nn.Parameter(torch.randn(window, width) * 0.02)
        self.kind = nn.ParameterDict({m: nn.Parameter(torch.randn(width) * 0.02) for m in modalities})
        self.norm = nn.ModuleDict({m: nn.LayerNorm(width) for m in modalities})
        self.attention = nn.ModuleDict({m: MaskedAttention(width=width, heads=heads) for m in modalities})

    def forward(
        self,
        tokens: Mapping[Modality, Tensor],
        masks: Mapping[Modality, Tensor],
        log_importances: Mapping[Modality, Tensor],
    ) -> dict[Modality, Tensor]:
        """What each token hears from its surroundings.

        Args:
            tokens: z_m, (B, S_m, N_m, r). Zero under a false mask.
            masks: (B, S_m, N_m), bool.
            log_importances: (B, T), for the modalities that have them; none is as good as zeros.

        Returns:
            (B, S_m, N_m, r) for each modality, to be added to z_m.
        """
        segments = tokens[self.timed[0]].shape[1]
        timed_text = Modality.LANGUAGE in tokens and tokens[Modality.LANGUAGE].shape[1] == segments > 1
        latents = [self._latents(m, tokens[m], masks[m], log_importances.get(m)) for m in self.timed]
        notes = _Source(*(torch.cat(parts, 2) for parts in zip(*latents, strict=True)))
        near = [self._around(self.timed, notes)]
        heard = {}
        if Modality.LANGUAGE in tokens:
            text = tokens[Modality.LANGUAGE]
            listener = (Modality.LANGUAGE,)
            around = self._around(listener, notes) if timed_text else self._projected(listener, notes).joined()
            heard.update(self._listen(listener, tokens, around, biased=True))
            shown = masks[Modality.LANGUAGE]
            words = _Source(text + self.kind[Modality.LANGUAGE], shown, text.new_zeros(shown.shape))
            near.append(
                self._around(self.timed, words) if timed_text else self._projected(self.timed, words).repeated(segments)
            )
        around = _Source(*(torch.cat(parts, 2) for parts in zip(*near, strict=True)))
        return heard | self._listen(self.timed, tokens, around, biased=False)

    def _latents(self, modality: Modality, tokens: Tensor, mask: Tensor, log_g: Tensor | None) -> _Source:
        keys, seen = self.latents[modality](tokens, mask)
        keys = keys + self.kind[modality]
        log_g = keys.new_zeros(seen.shape) if log_g is None else log_g.to(keys.dtype)
        return _Source(keys, seen[..., None].expand(keys.shape[:-1]), log_g[..., None].expand(keys.shape[:-1]))

    def _projected(self, listeners: Sequence[Modality], source: _Source) -> _Source:
        """The keys and values that each listener makes of a source, side by side."""
        return source._replace(keys=F.linear(source.keys, *self._projection(listeners)))

    def _around(self, listeners: Sequence[Modality], source: _Source) -> _Source:
        """The same of the source's window around each segment. What is linear comes first, while there is one of each:
        W (y + o) = W y + W o."""
        weight, bias = self._projection(listeners)
        keys = windows(F.linear(source.keys, weight, bias), self.window) + F.linear(self.offset, weight)[:, None]
        seen, log_g = windows(source.seen, self.window), windows(source.log_g, self.window)
        return _Source(keys.flatten(2, 3), seen.flatten(2, 3), log_g.flatten(2, 3))

    def _projection(self, listeners: Sequence[Modality]) -> tuple[Tensor, Tensor]:
        """W_k and W_v of each listener in one matrix (2r · listeners, r), and their bias."""
        attentions = [cast(MaskedAttention, self.attention[m]) for m in listeners]
        maps = [(attention.key, attention.value) for attention in attentions]
        weight = torch.cat([layer.weight for pair in maps for layer in pair])
        bias = torch.cat([part for _, value in maps for part in (torch.zeros_like(value.bias), value.bias)])
        return weight, bias

    def _listen(
        self, listeners: Sequence[Modality], tokens: Mapping[Modality, Tensor], around: _Source, *, biased: bool
    ) -> dict[Modality, Tensor]:
        parts = around.keys.flatten(0, 1).unflatten(-1, (2 * len(listeners), -1)).unbind(-2)
        seen = around.seen.flatten(0, 1)
        bias = around.log_g.flatten(0, 1) if biased else None
        heard = {}
        for place, m in enumerate(listeners):
            queries = self.norm[m](tokens[m]).flatten(0, 1)
            said = cast(MaskedAttention, self.attention[m]).attend(
                queries, parts[2 * place], parts[2 * place + 1], seen, bias
            )
            heard[m] = said.view_as(tokens[m])
        return heard


class _Source(NamedTuple):
    """Something to attend to: keys (B, S, K, …), which of them are seen (B, S, K), and log g of each (B, S, K)."""

    keys: Tensor
    seen: Tensor
    log_g: Tensor

    def joined(self) -> _Source:
        """All segments as the surroundings of one: S becomes 1."""
        return _Source(*(part.flatten(1, 2)[:, None] for part in self))

    def repeated(self, segments: int) -> _Source:
        """One segment as the surroundings of each: S becomes ``segments``."""
        return _Source(*(part.expand(-1, segments, *part.shape[2:]) for part in self))
