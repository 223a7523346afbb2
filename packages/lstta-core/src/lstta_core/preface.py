"""What stands before a text that speaks: tokens made of sight and sound, once these have been through all blocks.

So do models that project everything into their language model. Here it is the way to be compared with: encoders in
lockstep hear each other between blocks, and with a preface sight and sound hear nothing and are heard from the side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lstta_core.interfaces import TIMED, EncoderState, Inputs, Modality, Streams, TrimodalOutput, check_streams
from lstta_core.masks import to_stream
from lstta_core.speaking import PAST, kept_of, speaker

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel

LANGUAGE = Modality.LANGUAGE
States = dict[Modality, EncoderState]


class Preface(nn.Module, ABC):
    """What is trained before a text: reads finished tokens of sight and sound, gives tokens that the text reads."""

    @abstractmethod
    def forward(self, streams: Streams) -> Tensor:
        """(B, P, D), added to the embedding of P tokens before the text; zero leaves those as they are.

        Args:
            streams: finished tokens of sight and sound.
        """

    def measure(self, streams: Streams) -> None:
        """See a training batch before :meth:`forward` does, as adapters may."""


def with_preface(model: TrimodalModel, preface: Preface, inputs: Inputs, *, keep: bool) -> TrimodalOutput:
    """The forward of a model whose active adapter has a preface.

    The text goes on behind its preface as an answer goes on behind its prompt, from keys and values that are kept. The
    tokens of the preface are embedded as the id that ends an answer, which every encoder that speaks has.

    Args:
        model: with an encoder that speaks.
        preface: the model's.
        inputs: of :meth:`~lstta_core.lockstep.TrimodalModel.forward`.
        keep: whether an answer is to go on from here.
    """
    encoder = speaker(model)
    present = {m: inputs[m]["present"] for m in model.by_modality()}
    states = model.prefix(inputs, [m for m in TIMED if m in present])
    states = _through_blocks(model, states, behind=model.first_adapted)
    streams = _finished(model, states, present)
    with model.arithmetic(mixed=True):
        if model.training:
            preface.measure(streams)
        made = preface(streams)
    with model.arithmetic(mixed=False):
        ids = torch.full(made.shape[:2], encoder.ends[0], device=made.device)
        before = encoder.go_on(ids, {PAST: ids[:, :0].bool()})
        before = before.with_tokens(before.tokens + made.to(before.tokens.dtype))
        before = _through_blocks(model, {LANGUAGE: before})[LANGUAGE]
        behind: dict[str, Any] = {**inputs[LANGUAGE], "kept": kept_of(before)}
        text = encoder.embed(behind)
    states |= _through_blocks(model, {LANGUAGE: text})
    streams |= _finished(model, {LANGUAGE: states[LANGUAGE]}, present)
    check_streams(streams)
    return TrimodalOutput(streams, [], states if keep else {})


def _through_blocks(model: TrimodalModel, states: States, *, behind: int = 0) -> States:
    for index in range(behind + 1, model.stages + 1):
        states = model.run_blocks(index, states)
    return states


def _finished(model: TrimodalModel, states: States, present: Mapping[Modality, Tensor]) -> Streams:
    with model.arithmetic(mixed=False):
        finished = {m: model.by_modality()[m].finish(state) for m, state in states.items()}
    return {m: to_stream(states[m], tokens, present[m]) for m, tokens in finished.items()}
