"""Short-term semantic interaction: what the modalities say to each other within a few segments.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    padded = F.pad(values.movedim(1, -1), (reach, reach)).movedim(-1, 1)
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
        near = [self._around(source) for source in latents]
        heard = {}
        if Modality.LANGUAGE in tokens:
            text = tokens[Modality.LANGUAGE]
            sources = near if timed_text else [source.joined() for source in latents]
            heard[Modality.LANGUAGE] = self._listen(Modality.LANGUAGE, text, sources, biased=True)
            words = _Source(text + self.kind[Modality.LANGUAGE], masks[Modality.LANGUAGE], None)
            near = [*near, self._around(words) if timed_text else words.repeated(segments)]
        for modality in self.timed:
            heard[modality] = self._listen(modality, tokens[modality], near, biased=False)
        return heard

    def _latents(self, modality: Modality, tokens: Tensor, mask: Tensor, log_g: Tensor | None) -> _Source:
        keys, seen = self.latents[modality](tokens, mask)
        keys = keys + self.kind[modality]
        log_g = keys.new_zeros(seen.shape) if log_g is None else log_g.to(keys.dtype)
        return _Source(keys, seen[..., None].expand(keys.shape[:-1]), log_g[..., None].expand(keys.shape[:-1]))

    def _around(self, source: _Source) -> _Source:
        keys = windows(source.keys, self.window) + self.offset[:, None]
        bias = None if source.bias is None else windows(source.bias, self.window).flatten(2, 3)
        return _Source(keys.flatten(2, 3), windows(source.seen, self.window).flatten(2, 3), bias)

    def _listen(self, modality: Modality, tokens: Tensor, sources: list[_Source], *, biased: bool) -> Tensor:
        keys = torch.cat([source.keys for source in sources], 2).flatten(0, 1)
        seen = torch.cat([source.seen for source in sources], 2).flatten(0, 1)
        bias = None
        if biased:
            bias = torch.cat([source.bias for source in sources if source.bias is not None], 2).flatten(0, 1)
        queries = self.norm[modality](tokens).flatten(0, 1)
        return self.attention[modality](queries, keys, seen, bias).view_as(tokens)


@dataclass(frozen=True)
class _Source:
    """Something to attend to: keys (B, S, K, r), which of them are seen (B, S, K), and their bias (B, S, K)."""

    keys: Tensor
    seen: Tensor
    bias: Tensor | None

    def joined(self) -> _Source:
        """All segments as the surroundings of one: S becomes 1."""
        bias = None if self.bias is None else self.bias.flatten(1)[:, None]
        return _Source(self.keys.flatten(1, 2)[:, None], self.seen.flatten(1)[:, None], bias)

    def repeated(self, segments: int) -> _Source:
        """One segment as the surroundings of each: S becomes ``segments``."""
        keys = self.keys.expand(-1, segments, -1, -1)
        return _Source(keys, self.seen.expand(-1, segments, -1), self.bias)
