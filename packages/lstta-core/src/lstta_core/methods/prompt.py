"""Prompt tuning: learned tokens in front of the encoders' own (Lester et al. 2021; Jia et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lstta_core.counts import check_counts
from lstta_core.front import refusal
from lstta_core.interfaces import Adapter, AdapterOutput, Encoder, EncoderChange, Method, Modality, Size, Stage, Streams


class PromptAdapter(Adapter):
    """P learned tokens for each modality, which every row has in front of its own from this stage on.

    The blocks behind it run on ``[p₁ … p_P, x]``, and what becomes of the p is left out before ``finish``. Core puts
    them in and takes them out, see :mod:`~lstta_core.front`; the streams stay as they are. Tokens read them from the
    next block on, so a fresh one is *not* the frozen model. They are normal with a deviation of 0.02.

    Args:
        widths: D_m, the width of the tokens of each modality that gets some.
        tokens: P.
    """

    def __init__(self, *, widths: Mapping[Modality, int], tokens: int = 8) -> None:
        super().__init__()
        check_counts(tokens=tokens)
        self.tokens = nn.ParameterDict({m: nn.Parameter(0.02 * torch.randn(tokens, d)) for m, d in widths.items()})

    def front(self) -> Mapping[Modality, Tensor]:
        return {Modality(m): tokens for m, tokens in self.tokens.items()}

    def forward(self, streams: Streams) -> AdapterOutput:
        return AdapterOutput(dict(streams))


class Prompt(Method):
    """Places a :class:`PromptAdapter` at the first adapted stage.

    What deviates: the papers put prompts before the first block, of a language model (arXiv 2104.08691) or a vision
    transformer (arXiv 2203.12119, its shallow form); here they stand behind the frozen prefix, which stays cacheable.
    The modalities' prompts do not meet: nothing is read between encoders.

    Args:
        tokens: P, for each modality.
        modalities: those that get some, by name; None for all.
    """

    size = Size("tokens")

    def __init__(self, *, tokens: int = 8, modalities: Sequence[str] | None = None) -> None:
        check_counts(tokens=tokens)
        known = [str(m) for m in Modality]
        given = known if modalities is None else list(modalities)
        if not given or not set(given) <= set(known):
            raise ValueError(f"modalities: some of {known} are wanted, got {modalities!r}")
        self.tokens = tokens
        self.modalities = [m for m in Modality if m in given]

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change nothing.

        Raises:
            ValueError: the blocks of an encoder that is to get some fix the number of tokens, or none is to get any.
        """
        wanted = {m: encoder for m, encoder in encoders.items() if m in self.modalities}
        if not wanted:
            named, there = ([str(m) for m in some] for some in (self.modalities, encoders))
            raise ValueError(f"prompt: method.modalities names {named}, none of the model's {there}")
        for modality, encoder in wanted.items():
            if encoder.more_tokens({}, self.tokens) is None:
                raise ValueError(refusal(modality, encoder))
        return EncoderChange()

    def adapter(self, stage: Stage) -> Adapter | None:
        """The adapter, at the first adapted stage.

        Raises:
            ValueError: it is the last stage, behind which no block reads a prompt.
        """
        if not stage.first:
            return None
        if stage.index == stage.count:
            raise ValueError(
                f"prompt: only stage {stage.index} of {stage.count} is adapted, and no block behind it reads a prompt: "
                "raise model.adapted"
            )
        return PromptAdapter(widths={m: d for m, d in stage.widths.items() if m in self.modalities}, tokens=self.tokens)
