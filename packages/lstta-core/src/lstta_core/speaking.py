"""A language encoder that speaks: the contract, and an answer token by token.

Sight, sound and the prompt are run once. Of each block the keys and values are kept, and at each stage what the adapter
has heard, so that a token of the answer costs one token's blocks.

    V  entries of the vocabulary     n  tokens of the answer that come at once
    R  rows: B clips with the same number of beams each, beams of one clip side by side
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.context import CONTEXT
from lstta_core.encoder import Encoder
from lstta_core.interfaces import EncoderState, Inputs, Modality, Stream

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel

LANGUAGE = Modality.LANGUAGE
PAST = "past"
"""The extra (R, P), bool, of a state whose blocks keep keys and values: which kept places hold content."""


class SpeakingEncoder(Encoder):
    """A causal language model as an encoder: each token reads itself and what comes before it, and says what follows.

    Beside the tensors of its spec ``embed`` takes ``answer`` (B, 1, L) bool, true for tokens of an answer, which stand
    right behind their prompt; the state says so in ``answer``. And it takes ``keep``, true where the answer is still to
    come: the state then has :data:`PAST`, (R, 0) at first, and each block adds its keys and values to the extras, as
    ``keys.<block>`` and ``values.<block>`` (R, H, P, d). And it takes ``kept``, such extras of what stands before the
    text (:mod:`~lstta_core.preface`), which goes on from there.

    Attributes:
        ends: the ids that end an answer; at least one.
    """

    ends: tuple[int, ...]

    @abstractmethod
    def go_on(self, ids: Tensor, kept: Mapping[str, Tensor]) -> EncoderState:
        """The state before block 0 of more tokens of an answer: its ``tokens`` and ``mask`` are of these alone.

        Args:
            ids: (R, n), int64.
            kept: the extras of :data:`PAST` and of the keys and values, which the state's extras have again.
        """

    @abstractmethod
    def logits(self, tokens: Tensor) -> Tensor:
        """What may follow finished tokens (…, D): (…, V), as the original library gives it."""

    @abstractmethod
    def text(self, ids: Sequence[int]) -> str:
        """The words of ids, without special tokens."""


@dataclass(frozen=True)
class Speech:
    """What is kept between the tokens of an answer.

    Attributes:
        kept: extras of the language encoder's state, R first: :data:`PAST`, keys and values, and what blocks have heard
            of other streams.
        heard: by adapted stage, what :meth:`~lstta_core.adapter.Adapter.speak` needs, B first.
        present: (B,), bool, clips that have a prompt.
        importances: (B, T) by modality, of the last stage; empty where there are none.
    """

    kept: Mapping[str, Tensor]
    heard: Mapping[int, Any]
    present: Tensor
    importances: Mapping[Modality, Tensor]

    def rows(self, chosen: Tensor) -> Speech:
        """The speech of other rows, (R′,) int64; those of a clip must stay side by side, equally many of each clip."""
        return replace(self, kept={name: tensor[chosen] for name, tensor in self.kept.items()})


def speaker(model: TrimodalModel) -> SpeakingEncoder:
    """The model's language encoder.

    Raises:
        ValueError: it does not speak, or there is none.
    """
    encoder = model.by_modality().get(LANGUAGE)
    if not isinstance(encoder, SpeakingEncoder):
        named = "no language encoder" if encoder is None else type(encoder).__name__
        raise ValueError(
            f"answers in words want a language encoder that speaks, such as tiny-speaker or hf-speaker; the model has "
            f"{named}"
        )
    return encoder


@torch.no_grad()
def begin(model: TrimodalModel, inputs: Inputs) -> tuple[Tensor, Speech]:
    """Run everything once up to the end of the prompts.

    Args:
        model: with an encoder that speaks.
        inputs: as for a forward; an ``answer`` that is there is left out.

    Returns:
        (B, V), what may come first, and the speech, of one row a clip.

    Raises:
        ValueError: as :func:`speaker`; or a prompt has no token.
    """
    encoder = speaker(model)
    prompts = prompts_of(inputs[LANGUAGE])
    if not prompts["mask"].flatten(1).any(1).all():
        raise ValueError("a prompt has no token: give every clip a text, if only 'Describe the video.'")
    heard: dict[int, Any] = {}
    output = model.forward({**inputs, LANGUAGE: prompts}, heard=heard)
    state = output.states[LANGUAGE]
    tokens, length = output.streams[LANGUAGE].tokens[:, 0], state.mask.sum(1)
    last = tokens[torch.arange(len(tokens), device=tokens.device), length - 1]
    importances = output.importances[-1] if output.importances else {}
    return encoder.logits(last), Speech(kept_of(state), heard, prompts["present"], importances)


@torch.no_grad()
def go_on(model: TrimodalModel, ids: Tensor, speech: Speech) -> tuple[Tensor, Speech]:
    """Say these tokens.

    Args:
        model: of the speech.
        ids: (R, n), the next of each row.
        speech: of what came before.

    Returns:
        (R, n, V), what may follow each of them, and the speech that has them.
    """
    encoder = speaker(model)
    clips = len(speech.present)
    state = encoder.go_on(ids, speech.kept)
    carried: Tensor | None = None
    spoken = speech.present[:, None, None].expand(-1, 1, ids.numel() // clips)
    for index in range(1, model.stages + 1):
        state = model.run_blocks(index, {LANGUAGE: state})[LANGUAGE]
        adapter = model.adapter_at(index) if index in speech.heard else None
        if adapter is None:
            continue
        # Tokens of an answer do not hear each other in an adapter, so all beams of a clip are one text to it.
        tokens = state.tokens.view(clips, 1, -1, state.tokens.shape[-1])
        stream = Stream(tokens, torch.zeros_like(spoken), speech.present, carried, spoken)
        with model.arithmetic(mixed=True):
            stream = adapter.speak(stream, speech.heard[index])
        carried = stream.carried
        state = state.with_tokens(stream.tokens.view_as(state.tokens).to(state.tokens.dtype))
    with model.arithmetic(mixed=bool(model.trained_inside)):
        finished = encoder.finish(state)
    return encoder.logits(finished), replace(speech, kept=kept_of(state))


def prompts_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of a language encoder's inputs the prompts alone, as ``begin`` runs them: with an ``answer`` that is empty."""
    mask = inputs["mask"] if "answer" not in inputs else inputs["mask"] & ~inputs["answer"]
    longest = max(1, int(mask.sum(-1).max()))
    ids, mask = inputs["ids"][..., :longest], mask[..., :longest]
    return {"ids": ids, "mask": mask, "present": inputs["present"], "answer": torch.zeros_like(mask), "keep": True}


def kept_at_first(inputs: Mapping[str, Any], mask: Tensor) -> dict[str, Tensor]:
    """The extras with which a state begins to keep, where its inputs want that; (R, M) is the mask of its tokens.

    Those are nothing yet, or what is ``kept`` of tokens that stand before the text.
    """
    if "kept" in inputs:
        return dict(inputs["kept"])
    return {PAST: mask[:, :0]} if inputs.get("keep") else {}


def with_kept(extras: Mapping[str, Tensor], index: int, keys: Tensor, values: Tensor) -> dict[str, Tensor]:
    """The extras with a block's new keys and values (R, H, n, d) behind those that they have kept of it."""
    names = f"keys.{index}", f"values.{index}"
    if names[0] in extras:
        keys, values = (torch.cat([extras[n], new], 2) for n, new in zip(names, (keys, values), strict=True))
    return {**extras, names[0]: keys, names[1]: values}


def attendable(mask: Tensor, past: Tensor | None = None, window: int | None = None) -> Tensor:
    """(R, 1, n, P + n), bool: what each token may read: of what is kept and of itself what does not come after it.

    A token without content reads everything up to it, so that nothing is a softmax over nothing.

    Args:
        mask: (R, n), bool, which tokens hold content.
        past: (R, P), bool, likewise of what is kept.
        window: how many places back a token reads, itself included; None for all.
    """
    count = mask.shape[1]
    valid = mask if past is None else torch.cat([past, mask], 1)
    before = valid.shape[1] - count
    causal = torch.ones(count, valid.shape[1], dtype=torch.bool, device=mask.device).tril(before)
    place = valid.long().cumsum(1)
    allowed = causal & valid[:, None]
    if window is not None:
        allowed = allowed & (place[:, before:, None] - place[:, None] < window)
    return (allowed | (causal & ~allowed.any(-1, keepdim=True)))[:, None]


def places(mask: Tensor, past: Tensor | None = None) -> Tensor:
    """(R, n), int64: where in its row each token stands, tokens without content not counted."""
    before = 0 if past is None else past.sum(1, keepdim=True)
    return before + F.relu(mask.long().cumsum(1) - 1)


def kept_of(state: EncoderState) -> dict[str, Tensor]:
    """Of a state after all blocks what later tokens need: :data:`PAST` with the state's own tokens, keys and values."""
    kept = {name: tensor for name, tensor in state.extras.items() if name.startswith(("keys.", "values.", CONTEXT))}
    return {**kept, PAST: torch.cat([state.extras[PAST], state.mask], 1)}
