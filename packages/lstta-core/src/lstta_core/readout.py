"""What tasks read: all three streams in one vector, segments weighted by the last stage's importances.

The readout is the same for every method and counts as head. Our choice throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from lstta_core.attention import masked_softmax
from lstta_core.counts import check_counts
from lstta_core.interfaces import TIMED, Modality, Streams, TrimodalOutput
from lstta_core.methods.lstta.plan import sinusoids
from lstta_core.processes import sum_over_processes
from lstta_core.readout_shares import attention, log_importances, unguided


class TextGuidedPool(nn.Module):
    """Attention of one query over all tokens of a clip, with log importances of their segments as a bias.

    Args:
        width: of query and tokens.
        heads: of the attention; each may look at other tokens.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, query: Tensor, tokens: Tensor, mask: Tensor, log_g: Tensor | None) -> Tensor:
        """(B, E) over (B, T, N, E), mask (B, T, N), log g (B, T) or None, to (B, E); any where nothing is seen."""
        weights = self.weights(query, tokens, mask, log_g)
        values = tokens.unflatten(-1, (self.heads, -1))
        return torch.einsum("bhtn,btnhe->bhe", weights, values).flatten(1)

    def weights(self, query: Tensor, tokens: Tensor, mask: Tensor, log_g: Tensor | None) -> Tensor:
        """(B, H, T, N), what each head weighs each token with: sums to 1; of no use where nothing is seen."""
        q = self.query(query).unflatten(-1, (self.heads, -1)) * (query.shape[-1] // self.heads) ** -0.5
        # One query a clip: q · (W x) is cheaper as (Wᵀ q) · x, and the many tokens are read once.
        directions = torch.einsum("bhe,hed->bhd", q, self.key.weight.unflatten(0, (self.heads, -1)))
        scores = torch.einsum("bhd,btnd->bhtn", directions, tokens)
        if log_g is not None:
            scores = scores + log_g[:, None, :, None].to(scores.dtype)
        return masked_softmax(scores.flatten(2), mask.flatten(1)[:, None]).view_as(scores)


class TextPool(nn.Module):
    """A text in one vector: each head weighs the words with a learned query and takes its part of the width.

    Args:
        width: E.
        heads: how many; must divide the width.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(heads, width // heads))

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """(B, L, E) and mask (B, L) to (B, E); any where nothing is seen."""
        values = words.unflatten(-1, self.queries.shape)
        scores = torch.einsum("blhe,he->bhl", values, self.queries) * self.queries.shape[1] ** -0.5
        weights = masked_softmax(scores, mask[:, None])
        return torch.einsum("bhl,blhe->bhe", weights, values).flatten(1)


class RunningNorm(nn.Module):
    """(x − mean) / deviation, then a learned scale and shift, with running statistics in training as in evaluation.

    Frozen encoders give features whose greater part is the same for every input. A batch norm before the head is the
    common remedy (He et al. 2022, for linear probes); this one, our choice, has the formula of its evaluation in
    training too: nothing changes between the two, a batch may hold one clip, and no gradient goes through statistics.

    Args:
        width: E, of the features.
        momentum: the least weight of a batch in the statistics. The first n batches weigh the same, up to 1 / momentum.
        eps: added to the variance.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, width: int, *, momentum: float = 0.01, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        """Standardise, and in training take the batch into the statistics first; all processes' batches, where several
        train together.

        Args:
            features: (B, E).
            seen: (B,), bool, false for clips without the modality: they count for nothing.

        Returns:
            (B, E), zeros where not seen.
        """
        if self.training:
            with torch.autocast(features.device.type, enabled=False):
                self._follow(features.detach(), seen)
        scaled = (features - self.mean) * (self.variance + self.eps).rsqrt() * self.weight + self.bias
        return scaled * seen[:, None]

    @torch.no_grad()
    def _follow(self, features: Tensor, seen: Tensor) -> None:
        rows, counts = features.to(self.mean.dtype), seen.to(self.mean.dtype)
        count = sum_over_processes(counts.sum())
        self.batches += count > 0
        # No batch at all, or nothing in this one, must leave everything as it is.
        rate = (1 / self.batches.clamp(min=1)).clamp(min=self.momentum).to(rows.dtype) * (count > 0)
        count = count.clamp(min=1)
        self.mean.lerp_(sum_over_processes(counts @ rows) / count, rate)
        self.variance.lerp_(sum_over_processes(counts @ (rows - self.mean).square()) / count, rate)


class Readout(nn.Module):
    """The finished streams of a clip in one vector.

    The text is the query of an attention over sight and over sound. What both give is added to the text, and so is what
    becomes of all three and of products with the text when they are fused; without the plain sum half of a task is not
    learned (decision 30). All three are brought to one scale before: what two texts differ in is a small part of their
    vectors, and would be a small part of every product. Modalities that a clip lacks are zeros. Computes in its own
    type whatever the encoders' is.

    Unguided it is a probe: the mean of each modality's tokens, weighted with the importances, and the sum of the three.
    Modalities then meet in adapters or nowhere. That, and where a readout looks, is in ``readout_shares``.

    Args:
        widths: D_m of the encoders' finished tokens.
        width: E, of the vector.
        heads: of the pooling; a probe has none.
        dropout: on the vector.
        guided: whether the text guides and the three are fused.
    """

    def __init__(
        self,
        *,
        widths: Mapping[Modality, int],
        width: int = 128,
        heads: int = 4,
        dropout: float = 0.0,
        guided: bool = True,
    ) -> None:
        super().__init__()
        check_counts(width=width, heads=heads)
        if width % heads:
            raise ValueError(f"heads must divide the width: got heads={heads}, width={width}")
        modalities = tuple(m for m in Modality if m in widths)
        self.width = width
        self.timed = tuple(m for m in TIMED if m in widths)
        self.project = nn.ModuleDict(
            {m: nn.Sequential(nn.LayerNorm(widths[m]), nn.Linear(widths[m], width)) for m in modalities}
        )
        self.norm = nn.ModuleDict({m: RunningNorm(width) for m in modalities})
        self.dropout = nn.Dropout(dropout)
        self.guided = guided
        if not guided:
            return
        self.pool = nn.ModuleDict({m: TextGuidedPool(width=width, heads=heads) for m in self.timed})
        if Modality.LANGUAGE in modalities:
            self.text = TextPool(width=width, heads=heads)
        self.default_query = nn.Parameter(torch.zeros(width))
        parts = 1 + 2 * len(self.timed)
        self.fusion = nn.Sequential(nn.Linear(parts * width, width), nn.GELU())

    def forward(self, output: TrimodalOutput) -> Tensor:
        """(B, E). Segments are weighted by the importances of the last stage that has them, evenly if none has."""
        return self.dropout(self._fused(output) if self.guided else unguided(self, output))

    def attention(self, output: TrimodalOutput) -> dict[Modality, Tensor]:
        """Where :meth:`forward` looks, see :func:`lstta_core.readout_shares.attention`."""
        return attention(self, output)

    def _fused(self, output: TrimodalOutput) -> Tensor:
        query = self.query(output.streams)
        parts, direct = [query], query
        for modality in self.timed:
            tokens, mask, log_g = self.pooled(modality, output)
            pooled = self.norm[modality](self.pool[modality](query, tokens, mask, log_g), mask.any((1, 2)))
            parts += [pooled, pooled * query]
            direct = direct + pooled
        return direct + cast(Tensor, self.fusion(torch.cat(parts, dim=-1)))

    def query(self, streams: Streams) -> Tensor:
        """(B, E): the text, on top of what is asked without one."""
        query = self.default_query.expand(next(iter(streams.values())).tokens.shape[0], -1)
        if Modality.LANGUAGE not in self.project:
            return query
        text = streams[Modality.LANGUAGE]
        mask = text.mask.flatten(1)
        words = self.text(self._project(Modality.LANGUAGE, text.tokens).flatten(1, 2), mask)
        return query + self.norm[Modality.LANGUAGE](words, mask.any(1))

    def pooled(self, modality: Modality, output: TrimodalOutput) -> tuple[Tensor, Tensor, Tensor | None]:
        """What a guided pool reads: tokens (B, T, N, E), their mask, and log g (B, T) where there are importances."""
        stream = output.streams[modality]
        tokens = self._project(modality, stream.tokens)
        tokens = tokens + sinusoids(tokens.shape[1], self.width, tokens)[:, None]
        return tokens, stream.mask, log_importances(output, modality)

    def _project(self, modality: Modality, tokens: Tensor) -> Tensor:
        project = cast(nn.Sequential, self.project[modality])
        return cast(Tensor, project(tokens.to(cast(Tensor, project[1].weight).dtype)))
