"""Short-term semantic interaction: what the modalities say to each other within a few segments.

What the module is for is from the paper's abstract; the formulas are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import TIMED, Modality
from lstta_core.methods.lstta.attention import Attention
from lstta_core.methods.lstta.plan import Plan
from lstta_core.methods.lstta.windows import windows
from lstta_core.methods.projections import normed


def preferences(heads: int, window: int) -> Tensor:
    """(heads, window): how loud each place is at the start. A head's own has 0, the next to it −8, then −16.

    Heads take the places from the middle outwards: the segment, the one before, the one after, and so on, and again.
    """
    places = torch.arange(window) - window // 2
    own = places[places.abs().argsort(stable=True)][torch.arange(heads) % window]
    return -8.0 * (places[None] - own[:, None]).abs()


class ShortTermInteraction(nn.Module):
    """Tokens of a segment attend to the latents of sight and sound in the segments around it, and to the text there.

    A text that belongs to the whole clip (S = 1) is around every segment, and its own tokens attend to the latents of
    all segments. Timed text (S = T) is read and reads within the window, like the other two.

    One attention serves all listeners. A token hears each modality as loud as any other, however many keys each has;
    and at the start each head hears one place of the window, e^8 times as loud as the next: so what was before and
    what comes after are told apart from the first step on. A place has a key and a value of its own that are added to
    those of what stands there, as in Shaw et al. (2018). In each head the first feature of the keys is theirs alone at
    the start, and the first of the queries is constant.

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
        self.window, self.count = window, latents
        self.latents = nn.Parameter(torch.randn(len(self.timed) * latents, width) * width**-0.5)
        self.kind = nn.Parameter(torch.randn(len(self.timed), width) * 0.02)
        self.text_kind = nn.Parameter(torch.randn(width) * 0.02) if Modality.LANGUAGE in modalities else None
        self.attention = Attention(width=width, heads=heads)
        for linear in (self.attention.query, self.attention.key_value, self.attention.out):
            nn.init.xavier_uniform_(linear.weight)  # with torch's own, what is heard is a tenth of what is there
        features = self.attention.features
        self.place: nn.Parameter | None = None
        if window > 1:
            place = torch.randn(window, 2, heads, features) * 0.02
            place[:, 0, :, 0] = preferences(heads, window).T
            self.place = nn.Parameter(place.flatten(1))
            with torch.no_grad():
                self.attention.query.weight[::features] = 0
                self.attention.query.bias[::features] = features**0.5
                self.attention.key_value.weight[: heads * features : features] = 0

    def forward(self, z: Tensor, text: Tensor | None, plan: Plan) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """What each token hears from its surroundings; of no meaning where ``plan`` says that there is nothing.

        Args:
            z: (B, T, N, r), of sight and sound side by side. Zero where nothing is.
            text: (B, S, L, r), or None.
            plan: of the batch.

        Returns:
            (B, T, N, r) and (B, S, L, r) or None, to be added to z; and (B, 1, K, 2 h d), what a text that belongs to
            the whole clip hears, or None, for :meth:`listen`.
        """
        latents = self._latents(z, plan)
        surroundings = self._around(latents)
        said = whole = None
        if text is not None and plan.text is not None and self.text_kind is not None:
            words = self.attention.key_value(normed(text) + self.text_kind)
            if plan.text.timed:
                said = self.listen(text, surroundings, plan.text.hears)
                words = self._around(words)
            else:
                whole = latents.flatten(1, 2)[:, None]
                said = self.listen(text, whole, plan.text.hears)
                words = words.expand(-1, z.shape[1], -1, -1)
            surroundings = torch.cat([surroundings, words], 2)
        return self.listen(z, surroundings, plan.hears), said, whole

    def _latents(self, z: Tensor, plan: Plan) -> Tensor:
        """Keys and values of each segment in k latents a modality, (B, T, n k, 2 h d).

        Learned queries each take a weighted mean of the segment's tokens of their modality.
        """
        scores = F.linear(z, self.latents).unflatten(-1, (-1, self.count))
        weights = scores.masked_fill(plan.latents_hidden, float("-inf")).flatten(3).softmax(2)
        kinds = self.kind[:, None]
        latents = normed(weights.transpose(2, 3) @ z).unflatten(2, (-1, self.count)) + kinds
        key_values: Tensor = self.attention.key_value(latents.flatten(2, 3))
        return key_values

    def _around(self, key_values: Tensor) -> Tensor:
        """(B, T, K, 2 h d) to (B, T, w K, 2 h d): those of the segments around each, with their places."""
        if self.place is None:
            return key_values
        return (windows(key_values, self.window).permute(0, 1, 4, 2, 3) + self.place[:, None]).flatten(2, 3)

    def listen(self, tokens: Tensor, key_values: Tensor, bias: Tensor) -> Tensor:
        """z of tokens (B, S, N, r) over keys and values (B, S, K, 2 h d): what they hear, (B, S, N, r)."""
        heard: Tensor = self.attention(normed(tokens).flatten(0, 1), key_values.flatten(0, 1), bias)
        return heard.view_as(tokens)

    def shares(self, tokens: Tensor, key_values: Tensor, bias: Tensor) -> dict[Modality, Tensor]:
        """Of :meth:`listen` by a text of the whole clip, how much each segment is heard: (B, N, T) by modality."""
        weights = self.attention.weights(normed(tokens)[:, 0], key_values[:, 0], bias)
        by_segment = weights.unflatten(-1, (-1, len(self.timed), self.count)).sum(-1)
        return dict(zip(self.timed, by_segment.unbind(-1), strict=True))
