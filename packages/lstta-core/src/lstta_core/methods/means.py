"""Sight's and sound's mean tokens before the prompt, each through one linear map: what projecting them in is worth.

After LLaVA (Liu et al. 2023, arXiv 2304.08485) and what followed it, which put all tokens of a picture before the
prompt. The baseline of answers in words: nothing is heard between blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from lstta_core.attention import masked_mean
from lstta_core.interfaces import TIMED, EncoderChange, Method, Modality, Stream, Streams
from lstta_core.methods.projections import Standardised
from lstta_core.preface import Preface
from lstta_core.speaking import SpeakingEncoder

if TYPE_CHECKING:
    from lstta_core.encoder import Encoder

LANGUAGE = Modality.LANGUAGE
Of = Literal["segment", "clip"]


class MeansPreface(Preface):
    """``W_m (mean(x_m) − μ) / σ + b_m`` for each segment of sight, in time, then for each of sound.

    The means are of layer-normed tokens, standardised as for the other methods, see
    :mod:`~lstta_core.methods.projections`. W and b are zero at the start, so that the prompt then has tokens before it
    that say nothing; where there is nothing to see or hear, W's part stays zero. Our choice, all of it.

    Args:
        widths: of finished tokens, by modality.
        of: ``"segment"`` for a token of each segment, ``"clip"`` for one of all.
    """

    def __init__(self, *, widths: Mapping[Modality, int], of: Of = "segment") -> None:
        super().__init__()
        timed = [m for m in TIMED if m in widths]
        self.of = of
        self.standard = nn.ModuleDict({m: Standardised(widths[m]) for m in timed})
        self.map = nn.ModuleDict({m: nn.Linear(widths[m], widths[LANGUAGE]) for m in timed})
        for parameter in self.map.parameters():
            nn.init.zeros_(parameter)

    def forward(self, streams: Streams) -> Tensor:
        return torch.cat([self._mapped(m, streams[m]) for m in TIMED if m in streams], 1)

    def measure(self, streams: Streams) -> None:
        for m, stream in streams.items():
            cast(Standardised, self.standard[m]).measure(stream.tokens, stream.mask)

    def _mapped(self, modality: Modality, stream: Stream) -> Tensor:
        """(B, P, D), P segments or 1."""
        axes = (2,) if self.of == "segment" else (1, 2)
        mean = masked_mean(self.standard[modality](stream.tokens), stream.mask, axes)
        mapped: Tensor = self.map[modality](mean)
        return mapped if self.of == "segment" else mapped[:, None]


class Means(Method):
    """Puts a :class:`MeansPreface` before every text. See there for the arguments.

    Raises:
        ValueError: ``of`` is neither of the two; or, once encoders are there, the language encoder does not speak, or
            there is neither sight nor sound.
    """

    def __init__(self, *, of: Of = "segment") -> None:
        if of not in ("segment", "clip"):
            raise ValueError(f"means: of is 'segment' or 'clip', got {of!r}")
        self._build = partial(MeansPreface, of=of)

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Nothing; what cannot work is refused here."""
        if not isinstance(encoders.get(LANGUAGE), SpeakingEncoder):
            raise ValueError("means: the language encoder must be one that speaks, such as tiny-speaker or hf-speaker")
        if not any(m in encoders for m in TIMED):
            raise ValueError("means: a visual or an audio encoder is wanted, whose tokens stand before the prompt")
        return EncoderChange()

    def preface(self, widths: Mapping[Modality, int]) -> Preface:
        return self._build(widths=widths)
