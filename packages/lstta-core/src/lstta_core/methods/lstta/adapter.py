"""Long short-term trimodal adapters (arXiv 2308.14274): the adapter at one stage, and the method that places it.

That the two modules exist, what each is for and that they sit between the encoders' blocks is from the paper; the
formulas and how the modules compose are our choice (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.counts import check_counts
from lstta_core.interfaces import (
    TIMED,
    Adapter,
    AdapterOutput,
    Method,
    Modality,
    Size,
    Stage,
    Stream,
    Streams,
    check_streams,
)
from lstta_core.methods.lstta.long_term import LongTermFilter
from lstta_core.methods.lstta.plan import Plan, make_plan
from lstta_core.methods.lstta.short_term import ShortTermInteraction
from lstta_core.methods.projections import Down, Units, Up, Ups


@dataclass(frozen=True)
class Heard:
    """What the tokens of an answer hear at a stage, the same for each of them.

    Attributes:
        key_values: (B, 1, K, 2 h d), the latents of all segments; None without the short-term module.
        hears: (B, 1, 1, K), their bias.
        anything: (B, 1, 1, 1), 1 where there is a key to hear, else 0.
        context: (B, 1, 1, r), of the clip; None without the long-term module.
    """

    key_values: Tensor | None
    hears: Tensor
    anything: Tensor
    context: Tensor | None


class LSTTAAdapter(Adapter):
    """The adapter of one stage: down, short-term, long-term, up.

    The way down gives z_m, the way up adds ``W↑_m · GELU(z_m)``, bounded: see :mod:`~lstta_core.methods.projections`.
    Between them the short-term module adds to z_m what the other modalities say around it, and the long-term module,
    which so can judge a segment by its neighbours too, what each segment means within the whole clip. Importance reads
    z_m before and after. W↑ is zero at the start and nothing else is, except the importance's keys.

    Args:
        widths: D_m, the width of each modality's tokens at this stage.
        width: r, of the bottleneck.
        heads: of both modules' attention.
        latents: k, latents a segment and modality.
        window: w, in segments, odd.
        long_term: whether the long-term module is there.
        short_term: whether the short-term module is there.
        dropout: on the bottleneck before it goes up.
        last: whether the readout follows, which weighs segments with the importances. Elsewhere there are none, so that
            no parameter trains for nothing.
    """

    def __init__(
        self,
        *,
        widths: Mapping[Modality, int],
        width: int = 64,
        heads: int = 4,
        latents: int = 4,
        window: int = 3,
        long_term: bool = True,
        short_term: bool = True,
        dropout: float = 0.0,
        last: bool = False,
    ) -> None:
        super().__init__()
        check_counts(width=width, heads=heads, latents=latents)
        self.modalities = modalities = tuple(m for m in Modality if m in widths)
        self.timed = timed = tuple(m for m in TIMED if m in widths)
        self._sizes = (width, window, latents)
        self.plan_key = (LSTTAAdapter, *self._sizes)
        self.down = nn.ModuleDict({m: Down(widths[m], width) for m in modalities})
        self.up = Ups({m: Up(width, widths[m]) for m in modalities})
        self.units = nn.ModuleDict({m: Units() for m in widths})
        self.dropout = nn.Dropout(dropout)
        self.long_term: LongTermFilter | None = None
        self.short_term: ShortTermInteraction | None = None
        if long_term and timed:
            self.long_term = LongTermFilter(
                width=width, heads=heads, modalities=modalities, importance=last, window=window if short_term else None
            )
        if short_term and timed:
            self.short_term = ShortTermInteraction(
                width=width, heads=heads, latents=latents, window=window, modalities=modalities
            )

    def forward(self, streams: Streams, plan: Plan | None = None) -> AdapterOutput:
        """The streams after this stage.

        Args:
            streams: of the modalities in ``widths``; a clip that lacks one says so in ``present``.
            plan: of :meth:`plan`, where it is at hand.

        Raises:
            ValueError: other modalities than those, or streams that do not fit together.
        """
        self._check(streams)
        down = {m: self.down[m](streams[m].tokens) for m in self.modalities}
        plan = self.plan(streams) if plan is None else plan
        log_g: Tensor | None = None
        heard: Heard | None = None
        if plan is None:
            z = {m: values.masked_fill(~streams[m].changeable[..., None], 0) for m, values in down.items()}
        else:
            z, log_g, heard = self._met(down, plan)
        tokens = self._out({m: stream.tokens for m, stream in streams.items()}, z)
        importances = {} if log_g is None else dict(zip(self.timed, log_g.exp().unbind(-1), strict=True))
        return AdapterOutput({m: streams[m].with_tokens(tokens[m]) for m in streams}, importances, heard)

    def speak(self, stream: Stream, heard: Heard | Streams) -> Stream:
        if not isinstance(heard, Heard):
            return super().speak(stream, heard)
        z = self.down[Modality.LANGUAGE](stream.tokens)
        if self.short_term is not None and heard.key_values is not None:
            z = torch.addcmul(z, self.short_term.listen(z, heard.key_values, heard.hears), heard.anything)
        if heard.context is not None:
            z = z + heard.context
        tokens = self._out({Modality.LANGUAGE: stream.tokens}, {Modality.LANGUAGE: z})
        return stream.with_tokens(tokens[Modality.LANGUAGE])

    def listened(self, text: Stream, heard: Heard | Streams) -> Mapping[Modality, Tensor]:
        if self.short_term is None or not isinstance(heard, Heard) or heard.key_values is None:
            return {}
        z = self.down[Modality.LANGUAGE](text.tokens)
        shares = self.short_term.shares(z, heard.key_values, heard.hears)
        return {m: share * heard.anything[:, 0] for m, share in shares.items()}

    def _out(self, tokens: Mapping[Modality, Tensor], z: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        return self.up(tokens, {m: self.dropout(self.units[m](F.gelu(values))) for m, values in z.items()})

    def _met(
        self, down: Mapping[Modality, Tensor], plan: Plan
    ) -> tuple[dict[Modality, Tensor], Tensor | None, Heard | None]:
        """z of each modality after both modules, log g, and what a text that speaks has heard.

        Sight and sound go side by side, so that each operation is one for both.
        """
        z = torch.cat([down[m] for m in self.timed], 2).masked_fill(plan.hidden, 0)
        text = down[Modality.LANGUAGE].masked_fill(plan.text.hidden, 0) if plan.text is not None else None
        held: Tensor | None = None
        whole: Tensor | None = None
        if self.short_term is not None:
            held = z
            heard, said, whole = self.short_term(z, text, plan)
            z = torch.addcmul(z, heard, plan.heard)
            if text is not None and plan.text is not None:
                text = torch.addcmul(text, said, plan.text.heard)
        log_g: Tensor | None = None
        context: Tensor | None = None
        if self.long_term is not None:
            filtered = self.long_term(z, text, plan, held)
            log_g = filtered.log_importances
            z = torch.addcmul(z, filtered.context[:, :, None], plan.there)
            if text is not None and plan.text is not None:
                context = (filtered.context if plan.text.timed else filtered.clip_context)[:, :, None]
                text = torch.addcmul(text, context, plan.text.there)
        met = dict(zip(self.timed, z.split(plan.sizes, 2), strict=True))
        if text is None or plan.text is None:
            return met, log_g, None
        met[Modality.LANGUAGE] = text
        if not plan.text.speaks:
            return met, log_g, None
        return met, log_g, Heard(whole, plan.text.hears, plan.seen.amax((1, 2), keepdim=True), context)

    def _check(self, streams: Streams) -> None:
        if set(streams) != set(self.modalities):
            raise ValueError(
                f"the adapter was built for {[str(m) for m in self.modalities]}, got streams for "
                f"{[str(m) for m in streams]}; a clip without a modality has present=False"
            )
        check_streams(streams)
        timed = {str(m): streams[m].tokens.shape[1] for m in TIMED if m in streams}
        if len(set(timed.values())) > 1:
            raise ValueError(f"visual and audio streams must have the same number of segments, got {timed}")
        if timed and Modality.LANGUAGE in streams:
            segments, text = next(iter(timed.values())), streams[Modality.LANGUAGE].tokens.shape[1]
            if text not in (1, segments):
                raise ValueError(f"text must have 1 segment or those of the clip ({segments}), got {text}")

    def plan(self, streams: Streams) -> Plan | None:
        """What follows from the masks of a batch; None where no modality meets another."""
        if self.short_term is None and self.long_term is None:
            return None
        width, window, latents = self._sizes
        weight = next(self.up.parameters())
        kind = weight.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        masks = {m: streams[m].mask for m in self.modalities}
        answer = streams[Modality.LANGUAGE].answer if Modality.LANGUAGE in streams else None
        return make_plan(masks, width=width, window=window, latents=latents, dtype=dtype, answer=answer)

    def measure(self, streams: Streams) -> None:
        for m, stream in streams.items():
            cast(Down, self.down[m]).measure(stream.tokens, stream.changeable)


class LSTTA(Method):
    """Places an :class:`LSTTAAdapter` at every adapted stage. See there for the arguments."""

    size = Size("width")

    def __init__(
        self,
        *,
        width: int = 64,
        heads: int = 4,
        latents: int = 4,
        window: int = 3,
        long_term: bool = True,
        short_term: bool = True,
        dropout: float = 0.0,
    ) -> None:
        self._build = partial(
            LSTTAAdapter,
            width=width,
            heads=heads,
            latents=latents,
            window=window,
            long_term=long_term,
            short_term=short_term,
            dropout=dropout,
        )

    def adapter(self, stage: Stage) -> Adapter:
        return self._build(widths=stage.widths, last=stage.index == stage.count)
