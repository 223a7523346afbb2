"""The network of tasks that are answered in words: the lockstep model alone, since its language encoder speaks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.generation import Decoding, Said, say_from
from lstta_core.interfaces import Inputs, Modality
from lstta_core.listening import listened
from lstta_core.lockstep import TrimodalModel
from lstta_core.speaking import begin, go_on, speaker
from lstta_tasks.answers.description import Word
from lstta_tasks.task_network import TaskNetwork, TaskOutput

LANGUAGE = Modality.LANGUAGE


@dataclass(frozen=True)
class Spoken:
    """Answers of a batch.

    Attributes:
        losses: (B,), of the right answers, each the mean over its tokens; zeros where none was given.
        counts: (B,), how many tokens those have.
        said: what was said; empty in training.
        words: of each answer its tokens, where it was asked what they listened to; else empty.
    """

    losses: Tensor
    counts: Tensor
    said: tuple[Said, ...] = ()
    words: tuple[tuple[Word, ...], ...] = ()


class SpeakingNetwork(TaskNetwork):
    """In training it is taught the batch's answers; otherwise it says its own too.

    Args:
        trimodal: with a language encoder that speaks.
        decoding: how an answer is made.

    Raises:
        ValueError: the language encoder does not speak.
    """

    def __init__(self, trimodal: TrimodalModel, decoding: Decoding) -> None:
        super().__init__()
        speaker(trimodal)
        self.trimodal = trimodal
        self.decoding = decoding

    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        """Answers are in the inputs; targets say nothing."""
        if self.training:
            return self._taught(inputs)
        logits, speech = begin(self.trimodal, inputs)
        said = tuple(say_from(self.trimodal, logits, speech, self.decoding))
        losses = counts = torch.zeros(len(logits), device=logits.device)
        ids, there = answers_of(inputs)
        if there.any():
            following, _ = go_on(self.trimodal, ids, speech)
            each = torch.cat([logits[:, None], following[:, :-1]], 1).float()
            tokens = F.cross_entropy(each.transpose(1, 2), ids, reduction="none") * there
            counts = there.sum(1)
            losses = tokens.sum(1) / counts.clamp(min=1)
        return TaskOutput(Spoken(losses, counts, said), speech.importances)

    def explain(self, inputs: Inputs) -> TaskOutput:
        """As :meth:`forward`, and to what each token listened, where the method's adapters tell."""
        output = self(inputs)
        spoken: Spoken = output.output
        shares = listened(self.trimodal, inputs, [said.ids for said in spoken.said])
        words = tuple(self._words(said.ids, heard) for said, heard in zip(spoken.said, shares, strict=True))
        return replace(output, output=replace(spoken, words=words))

    def _words(self, ids: Sequence[int], heard: Mapping[Modality, Tensor]) -> tuple[Word, ...]:
        if not heard:
            return ()
        # Only in a row do tokens say whether a blank is before them. Parts of a letter are told once it is whole.
        texts = [speaker(self.trimodal).text(ids[:count]).rstrip("\ufffd") for count in range(len(ids) + 1)]
        shares = {m: share.double().cpu().numpy() for m, share in heard.items()}
        return tuple(
            Word(after[len(before) :], {m: share[place] for m, share in shares.items()})
            for place, (before, after) in enumerate(itertools.pairwise(texts))
        )

    def _taught(self, inputs: Inputs) -> TaskOutput:
        output = self.trimodal(inputs)
        answer = inputs[LANGUAGE]["answer"][:, 0]
        # What is said at one place is about the next; only the places before an answer's tokens go through the head.
        tokens = output.streams[LANGUAGE].tokens[:, 0, :-1][answer[:, 1:]]
        logits = speaker(self.trimodal).logits(tokens).float()
        losses = F.cross_entropy(logits, inputs[LANGUAGE]["ids"][:, 0][answer], reduction="none")
        counts = answer.sum(1)
        rows = torch.arange(len(answer), device=answer.device).repeat_interleave(counts)
        summed = losses.new_zeros(len(answer)).index_add(0, rows, losses)
        shown = output.importances[-1] if output.importances else {}
        return TaskOutput(Spoken(summed / counts.clamp(min=1), counts), shown)


def answers_of(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The ids of a batch's answers, (B, n), and which of them are there, (B, n) bool; n is 0 where there are none."""
    language = inputs[LANGUAGE]
    if "answer" not in language:
        nothing = language["ids"][:, 0, :0]
        return nothing, nothing.bool()
    answer = language["answer"][:, 0]
    longest = int(answer.sum(1).max())
    first = answer.long().argmax(1, keepdim=True)
    place = (first + torch.arange(longest, device=answer.device)).clamp(max=answer.shape[1] - 1)
    return language["ids"][:, 0].gather(1, place), answer.gather(1, place)
