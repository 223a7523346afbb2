"""Answers in words: greedy, by beams or drawn, until an end, a stop string or a number of tokens.

Written here and not taken from transformers, which core may not import and whose ``generate`` runs a model of its own
class: here each token goes through blocks and adapters of :mod:`~lstta_core.speaking`. The tests of
lstta-backbone-transformers compare greedy and beams with its ``generate``, token for token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lstta_core.interfaces import Inputs
from lstta_core.speaking import SpeakingEncoder, Speech, begin, go_on, speaker

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How an answer is made of what may follow.

    Attributes:
        length: the most tokens, the end included.
        beams: how many answers are followed at once; 1 takes the likeliest token each time.
        length_penalty: of beams: an answer of n tokens counts with its log-probability over n to this power.
        sample: whether tokens are drawn, with the next three; beams is 1 then.
        temperature: what logits are divided by.
        top_p: tokens are drawn from the likeliest that together have at least this probability (Holtzman et al. 2020).
        seed: of the draw.
        stops: texts that end an answer, and are left out of it.

    Raises:
        ValueError: a number is out of range, or beams are to be drawn.
    """

    length: int = 48
    beams: int = 1
    length_penalty: float = 1.0
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stops: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        for name in ("length", "beams"):
            if getattr(self, name) < 1:
                raise ValueError(f"decoding.{name} must be at least 1, got {getattr(self, name)}")
        if self.temperature <= 0 or not 0 < self.top_p <= 1:
            raise ValueError(
                f"decoding wants temperature > 0 and 0 < top_p ≤ 1, got {self.temperature} and {self.top_p}"
            )
        if self.sample and self.beams > 1:
            raise ValueError(f"decoding: sample=True draws one answer, beams={self.beams} follows several: choose one")
        if any(not stop for stop in self.stops):
            raise ValueError("decoding.stops: an empty text would end every answer at once")


@dataclass(frozen=True)
class Said:
    """The answer of one clip.

    Attributes:
        ids: its tokens, the end left out.
        text: its words, up to a stop string.
        score: the log-probability of its tokens, the end included, where one was said.
    """

    ids: tuple[int, ...]
    text: str
    score: float


@torch.no_grad()
def say(model: TrimodalModel, inputs: Inputs, decoding: Decoding | None = None) -> list[Said]:
    """An answer for each clip of a batch.

    Args:
        model: with an encoder that speaks, in eval mode.
        inputs: as for a forward; an ``answer`` that is there is left out.
        decoding: greedy where nothing is said.

    Raises:
        ValueError: as :func:`~lstta_core.speaking.begin`.
    """
    return say_from(model, *begin(model, inputs), decoding or Decoding())


@torch.no_grad()
def say_from(model: TrimodalModel, logits: Tensor, speech: Speech, decoding: Decoding) -> list[Said]:
    """As :func:`say`, from what :func:`~lstta_core.speaking.begin` gave."""
    if decoding.beams > 1:
        return _by_beams(model, logits, speech, decoding)
    return _one_by_one(model, logits, speech, decoding)


def _one_by_one(model: TrimodalModel, logits: Tensor, speech: Speech, decoding: Decoding) -> list[Said]:
    encoder, rows = speaker(model), len(logits)
    random = torch.Generator(logits.device).manual_seed(decoding.seed)
    ids: list[list[int]] = [[] for _ in range(rows)]
    scores, over = [0.0] * rows, [False] * rows
    for count in range(decoding.length):
        log_p = logits.float().log_softmax(-1)
        if decoding.sample:
            chosen = torch.multinomial(_drawn_from(logits.float(), decoding), 1, generator=random)
        else:
            chosen = log_p.argmax(-1, keepdim=True)
        gained = log_p.gather(1, chosen)[:, 0].tolist()
        for row, number in enumerate(chosen[:, 0].tolist()):
            if not over[row]:
                ids[row].append(number)
                scores[row] += gained[row]
                over[row] = number in encoder.ends or _stopped(encoder, ids[row], decoding.stops)
        if all(over) or count + 1 == decoding.length:
            break
        following, speech = go_on(model, chosen, speech)
        logits = following[:, -1]
    return [_said(encoder, row, score, decoding) for row, score in zip(ids, scores, strict=True)]


def _drawn_from(logits: Tensor, decoding: Decoding) -> Tensor:
    """(R, V), probabilities, 0 outside the likeliest that have ``top_p`` together."""
    p = (logits / decoding.temperature).softmax(-1)
    ordered, place = p.sort(-1, descending=True)
    ordered = ordered.masked_fill(ordered.cumsum(-1) - ordered >= decoding.top_p, 0)
    return torch.zeros_like(p).scatter(-1, place, ordered)


def _by_beams(model: TrimodalModel, logits: Tensor, speech: Speech, decoding: Decoding) -> list[Said]:
    """Beam search: a clip is over once its worst finished answer is better than its best running one can still get."""
    encoder, clips, beams = speaker(model), len(logits), decoding.beams
    first = torch.arange(clips, device=logits.device).repeat_interleave(beams)
    speech, logits = speech.rows(first), logits[first]
    # All beams of a clip begin alike: at first only one of them counts.
    scores = torch.full((clips, beams), float("-inf"), device=logits.device)
    scores[:, 0] = 0
    running: list[list[list[int]]] = [[[] for _ in range(beams)] for _ in range(clips)]
    finished: list[list[tuple[float, float, list[int]]]] = [[] for _ in range(clips)]
    over = [False] * clips
    for count in range(1, decoding.length + 1):
        log_p = logits.float().log_softmax(-1).view(clips, beams, -1) + scores[..., None]
        wanted = min(log_p[0].numel(), (1 + max(1, len(encoder.ends))) * beams)
        best, place = log_p.flatten(1).topk(wanted)
        chosen = torch.zeros(clips, beams, dtype=torch.long)
        parents = torch.arange(clips * beams).view(clips, beams).clone()
        for clip in range(clips):
            kept: list[tuple[float, int, list[int]]] = []
            ranked = zip(best[clip].tolist(), place[clip].tolist(), strict=True)
            for rank, (score, where) in enumerate(ranked):
                beam, number = divmod(where, log_p.shape[-1])
                ids = [*running[clip][beam], number]
                if number in encoder.ends or _stopped(encoder, ids, decoding.stops):
                    if rank < beams and not over[clip]:
                        finished[clip].append((score / count**decoding.length_penalty, score, ids))
                elif len(kept) < beams:
                    kept.append((score, beam, ids))
            finished[clip] = sorted(finished[clip], key=lambda one: -one[0])[:beams]
            while len(kept) < beams:  # a vocabulary smaller than the beams
                kept.append((float("-inf"), 0, [*running[clip][0], encoder.ends[0]]))
            scores[clip] = scores.new_tensor([score for score, *_ in kept])
            for row, (_, beam, ids) in enumerate(kept):
                chosen[clip, row], parents[clip, row] = ids[-1], clip * beams + beam
            running[clip] = [ids for *_, ids in kept]
            enough = len(finished[clip]) == beams
            reachable = kept[0][0] / count**decoding.length_penalty
            over[clip] = over[clip] or (enough and finished[clip][-1][0] >= reachable)
        if all(over) or count == decoding.length:
            break
        order = parents.flatten().to(logits.device)
        following, speech = go_on(model, chosen.view(-1, 1).to(logits.device), speech.rows(order))
        logits = following[:, -1]
    for clip in range(clips):
        if not over[clip]:  # what was still running competes too
            penalty = count**decoding.length_penalty
            pairs = zip(scores[clip].tolist(), running[clip], strict=True)
            finished[clip] += [(score / penalty, score, ids) for score, ids in pairs]
    best_of = [max(ended, key=lambda one: one[0]) for ended in finished]
    return [_said(encoder, ids, score, decoding) for _, score, ids in best_of]


def _stopped(encoder: SpeakingEncoder, ids: Sequence[int], stops: Sequence[str]) -> bool:
    return bool(stops) and any(stop in encoder.text(ids) for stop in stops)


def _said(encoder: SpeakingEncoder, ids: Sequence[int], score: float, decoding: Decoding) -> Said:
    ids = ids[:-1] if ids and ids[-1] in encoder.ends else ids
    text = encoder.text(ids)
    ends = [place for place in (text.find(stop) for stop in decoding.stops) if place >= 0]
    return Said(tuple(ids), text[: min(ends)].strip() if ends else text, score)
