"""Who reads an answer, and whether it may come token by token: for models of any method and any encoder that speaks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lstta_core.interfaces import LanguageSpec, Modality, TrimodalOutput
from lstta_core.lockstep import TrimodalModel
from lstta_core.speaking import begin, go_on, speaker
from lstta_core.testing.suite import require, require_close

LANGUAGE = Modality.LANGUAGE
Batch = Mapping[Modality, Mapping[str, Tensor]]
WORDS = 5
"""How many tokens the answers of the checks have."""


def with_answers(inputs: Batch) -> dict[Modality, dict[str, Tensor]]:
    """The batch with an answer behind each prompt: copies of its first tokens, more and other ones for each clip."""
    language = dict(inputs[LANGUAGE])
    ids, mask = (torch.nn.functional.pad(language[name], (0, WORDS)) for name in ("ids", "mask"))
    places = torch.arange(ids.shape[-1])
    length = mask.sum(-1, keepdim=True)
    answer = (places >= length) & (places < length + WORDS)
    copied = language["ids"][..., 1:].repeat(1, 1, WORDS)[..., : ids.shape[-1]]
    ids = ids.where(~answer, copied.roll(1, 0))
    language.update(ids=ids, mask=mask | answer, answer=answer)
    return {**{m: dict(tensors) for m, tensors in inputs.items()}, LANGUAGE: language}


def require_no_leak(model: TrimodalModel, inputs: Batch) -> None:
    """Fail where another token of an answer changes anything but itself and what comes behind it, to the bit."""
    with torch.no_grad():
        one = model(inputs)
    language = inputs[LANGUAGE]
    answer = language["answer"]
    for number in range(WORDS):
        # The number-th token of every answer.
        here = answer & (answer.long().cumsum(-1) == number + 1)
        changed = language["ids"].where(~here, language["ids"].roll(1, -1).roll(1, 0) % 11 + 7)
        with torch.no_grad():
            two = model({**inputs, LANGUAGE: {**language, "ids": changed}})
        _require_unread(model, one, two, here, f"token {number} of the answers")


def _require_unread(model: TrimodalModel, one: TrimodalOutput, two: TrimodalOutput, here: Tensor, what: str) -> None:
    for modality, stream in one.streams.items():
        if modality != LANGUAGE:
            left, right = stream.tokens[stream.mask], two.streams[modality].tokens[stream.mask]
            require(torch.equal(left, right), f"{what} changed {modality} tokens")
    for shown, other in zip(one.importances, two.importances, strict=True):
        for modality, importance in shown.items():
            require(torch.equal(importance, other[modality]), f"{what} changed the {modality} importances")
    before = (here.long().cumsum(-1) == 0)[:, 0]
    states = [output.streams[LANGUAGE] for output in (one, two)]
    require(bool(before.any()), "no token stands before the answers")
    with torch.no_grad():
        left, right = (speaker(model).logits(stream.tokens[:, 0]) for stream in states)
    read = before & states[0].changeable[:, 0]
    require(torch.equal(left[read], right[read]), f"{what} changed what is said before it")
    own = here[:, 0]
    require(not torch.equal(left[own], right[own]), f"{what} does not change what follows it: nothing was checked")


def require_same_spoken(model: TrimodalModel, inputs: Batch, tolerance: float) -> None:
    """Fail unless answers that come one token after the other have the logits of the whole forward."""
    language = inputs[LANGUAGE]
    spec = speaker(model).spec
    assert isinstance(spec, LanguageSpec)
    with torch.no_grad():
        whole = speaker(model).logits(model(inputs).streams[LANGUAGE].tokens[:, 0])
    answer = language["answer"][:, 0]
    ids = language["ids"][:, 0][answer].view(-1, WORDS)
    wanted = whole[answer].view(len(ids), WORDS, -1)
    first = answer.long().argmax(1) - 1
    logits, speech = begin(model, inputs)
    require_close(logits, whole[torch.arange(len(ids)), first], tolerance, "what may come first")
    at_once, _ = go_on(model, ids, speech)
    require_close(at_once, wanted, tolerance, "an answer at once behind its prompt, and the whole")
    for number in range(WORDS):
        logits, speech = go_on(model, ids[:, number : number + 1], speech)
        require_close(logits[:, 0], wanted[:, number], tolerance, f"what follows token {number}, and in the whole")
