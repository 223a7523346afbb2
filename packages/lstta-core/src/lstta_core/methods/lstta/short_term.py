"""Short-term semantic interaction: what the modalities say to each other within a few segments.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention, masked_softmax
from lstta_core.interfaces import TIMED, Modality
from lstta_core.methods.lstta.windows import windows


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
        weights = masked_softmax(torch.einsum("bsnr,kr->bskn", tokens, self.queries), mask[:, :, None])
        latents = self.project(torch.einsum("bskn,bsnr->bskr", weights, tokens))
        return latents * seen[..., None, None], seen


def preferences(heads: int, window: int) -> Tensor:
    """(heads, window): the bias of each place at the start. A head's own has 0, the next to it −8, then −16.

    Heads take the places from the middle outwards: the segment, the one before, the one after, and so on, and again.
    """
    places = torch.arange(window) - window // 2
    own = places[places.abs().argsort(stable=True)][torch.arange(heads) % window]
    return -8.0 * (places[None] - own[:, None]).abs()


class ShortTermInteraction(nn.Module):
    """Tokens of a segment attend to the latents of sight and sound in the segments around it, and to the text there.

    A text that belongs to the whole clip (S = 1) is around every segment, and its own tokens attend to the latents of
    all segments. Timed text (S = T) is read and reads within the window, like the other two.

    One attention serves all listeners. At the start a token hears each modality as loud as any other, however many
    keys each has, and each head hears one place of the window, e^8 times as loud as the next: so what was before and
    what comes after are told apart from the first step on. Both are learned, for each head.

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
        self.source_norm = nn.ModuleDict({m: nn.LayerNorm(width) for m in modalities})
        self.attention = MaskedAttention(width=width, heads=heads)
        for linear in (self.attention.query, self.attention.key, self.attention.value, self.attention.out):
            nn.init.xavier_uniform_(linear.weight)  # with torch's own, what is heard is a tenth of what is there
        # What is the same for all keys cancels in the softmax, so there are biases only where keys differ.
        self.near = nn.Parameter(preferences(heads, window)) if window > 1 else None
        sources = {m: self.timed if m is Modality.LANGUAGE else tuple(modalities) for m in modalities}
        self.prefer = nn.ParameterDict(
            {m: nn.Parameter(torch.zeros(len(sources[m]), heads)) for m in modalities if len(sources[m]) > 1}
        )

    def forward(self, tokens: Mapping[Modality, Tensor], masks: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """What each token hears from its surroundings.

        Args:
            tokens: z_m, (B, S_m, N_m, r). Zero under a false mask.
            masks: (B, S_m, N_m), bool.

        Returns:
            (B, S_m, N_m, r) for each modality, to be added to z_m.
        """
        segments = tokens[self.timed[0]].shape[1]
        weight, bias = projection = self._projection()
        offsets = F.linear(self.offset, weight)
        latents = [self._latents(m, tokens[m], masks[m], projection) for m in self.timed]
        around = [self._around(source, offsets) for source in latents]
        heard: dict[Modality, Tensor] = {}
        words: list[_Source] = []
        if Modality.LANGUAGE in tokens:
            said, shown = tokens[Modality.LANGUAGE], masks[Modality.LANGUAGE]
            keys = F.linear(self.source_norm[Modality.LANGUAGE](said) + self.kind[Modality.LANGUAGE], weight, bias)
            text = _Source(keys, shown, None)
            if said.shape[1] == segments > 1:
                words, surroundings = [self._around(text, offsets)], around
            else:
                words, surroundings = [text.repeated(segments)], [source.joined() for source in latents]
            heard = self._listen((Modality.LANGUAGE,), tokens, surroundings)
        return heard | self._listen(self.timed, tokens, around + words)

    def _latents(self, modality: Modality, tokens: Tensor, mask: Tensor, projection: tuple[Tensor, Tensor]) -> _Source:
        latents, seen = self.latents[modality](tokens, mask)
        keys = F.linear(self.source_norm[modality](latents) + self.kind[modality], *projection)
        return _Source(keys, seen[..., None].expand(latents.shape[:-1]), None)

    def _around(self, source: _Source, offsets: Tensor) -> _Source:
        """The source's window around each segment. What is linear came before, while there was one of each:
        W (y + o) = W y + W o."""
        keys = windows(source.keys, self.window) + offsets[:, None]
        near = None if self.near is None else self.near.repeat_interleave(source.keys.shape[2], 1)
        return _Source(keys.flatten(2, 3), windows(source.seen, self.window).flatten(2), near)

    def _projection(self) -> tuple[Tensor, Tensor]:
        """W_k over W_v, as one matrix with r inputs, and their bias."""
        key, value = self.attention.key, self.attention.value
        return torch.cat([key.weight, value.weight]), torch.cat([torch.zeros_like(value.bias), value.bias])

    def _listen(
        self, listeners: Sequence[Modality], tokens: Mapping[Modality, Tensor], sources: Sequence[_Source]
    ) -> dict[Modality, Tensor]:
        """(B, S, N, r) for each listener, what its tokens hear from sources with S segments."""
        keys, values = torch.cat([source.keys for source in sources], 2).flatten(0, 1).chunk(2, -1)
        seen = torch.cat([source.seen for source in sources], 2).flatten(0, 1)
        biases = [source.bias(self.attention.heads) for source in sources]
        heard = {}
        for m in listeners:
            own = biases
            if m in self.prefer:
                own = [bias + one[:, None] for bias, one in zip(biases, self.prefer[m], strict=True)]
            queries = self.norm[m](tokens[m]).flatten(0, 1)
            said = self.attention.attend(queries, keys, values, seen, torch.cat(own, 3).flatten(0, 1))
            heard[m] = said.view_as(tokens[m])
        return heard


class _Source(NamedTuple):
    """One modality to attend to.

    Attributes:
        keys: (B, S, K, …), projected as the attention wants them, and its values beside them.
        seen: (B, S, K), bool.
        near: (heads, K), the bias for the distance, or None where there is none.
    """

    keys: Tensor
    seen: Tensor
    near: Tensor | None

    def bias(self, heads: int) -> Tensor:
        """(B, S, heads, K). Alike keys of a source weigh together what one alone would."""
        count = self.seen.sum(-1, keepdim=True).clamp(min=1)
        bias = -count.to(self.keys.dtype).log()[:, :, None].expand(-1, -1, heads, self.keys.shape[2])
        return bias if self.near is None else bias + self.near

    def joined(self) -> _Source:
        """All segments as the surroundings of one: S becomes 1."""
        return _Source(self.keys.flatten(1, 2)[:, None], self.seen.flatten(1, 2)[:, None], self.near)

    def repeated(self, segments: int) -> _Source:
        """One segment as the surroundings of each: S becomes ``segments``."""
        keys, seen = (part.expand(-1, segments, *part.shape[2:]) for part in self[:2])
        return _Source(keys, seen, self.near)
