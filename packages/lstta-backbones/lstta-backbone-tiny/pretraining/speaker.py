"""The speaking language model's problem: the next word of the texts of all built-in data sets, and of answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from problems import SEED, Batch, Problem
from texts import questions, texts
from torch import Tensor, nn

from lstta_backbone_tiny.encoders import PAD
from lstta_backbone_tiny.speaker import END, START, TinySpeaker

PROMPT = "what is seen and heard?"
"""Before half of the captions, as before those that a task asks for."""
WORDS = Path(__file__).parents[1] / "src/lstta_backbone_tiny/weights/words.json"


class SpeakerProblem(Problem):
    """The next word, the end included; a batch is of captions, of questions with their answers, or of one data set.

    Of an answer no more can be learnt than what is said behind such a question, and how often: the scene is not there.
    """

    def __init__(self, *, scenes: int, seed: int) -> None:
        self.encoder = TinySpeaker(words=json.loads(WORDS.read_text(encoding="utf-8")))
        nn.init.normal_(self.encoder.word.weight, std=0.02)
        self.probe = nn.Identity()  # the words are the head
        self.train_ids = {name: self.tokens(part) for name, part in self.lines("train", scenes, seed).items()}
        self.held_out = {
            split: {name: self.tokens(part) for name, part in self.lines(split, scenes // 6, seed).items()}
            for split in ("val", "test")
        }

    def lines(self, split: Any, scenes: int, seed: int) -> dict[str, list[tuple[str, str]]]:
        """Prompts, most of them empty, and what follows them."""
        parts = {name: [("", line) for line in part] for name, part in texts(split, scenes, seed).items()}
        captions = parts["retrieval"]
        parts["retrieval"] = [(PROMPT if place % 2 else "", line) for place, (_, line) in enumerate(captions)]
        return {**parts, "avqa": questions(split, scenes, seed + SEED)}

    def tokens(self, lines: list[tuple[str, str]]) -> Tensor:
        """Ids (lines, longest), padded."""
        spec = self.encoder.spec
        assert spec.answer is not None
        rows = [torch.tensor([*spec.tokenize(prompt), *spec.answer(line)]) for prompt, line in lines]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)

    def draw(self, batch: int) -> Batch:
        names = list(self.train_ids)
        chance = float(torch.rand(()))
        any_name = names[int(torch.randint(len(names), ()))]
        name = "retrieval" if chance < 0.4 else "avqa" if chance < 0.6 else any_name
        ids = self.train_ids[name]
        rows = ids[torch.randint(len(ids), (batch,))]
        return {"ids": rows[:, : int((rows != PAD).sum(1).max())]}

    def words(self, ids: Tensor) -> Tensor:
        """(R, M, V), what follows each word."""
        inputs = {"ids": ids[:, None], "mask": (ids != PAD)[:, None]}
        return self.encoder.logits(self.encode(inputs))

    def loss(self, batch: Batch) -> Tensor:
        ids = batch["ids"]
        following = ids[:, 1:] != PAD
        return F.cross_entropy(self.words(ids)[:, :-1][following], ids[:, 1:][following])

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        return {
            split: {f"perplexity a word, {name}": self.perplexity(ids) for name, ids in parts.items()}
            for split, parts in self.held_out.items()
        } | {"says": [self.say() for _ in range(3)]}

    def perplexity(self, ids: Tensor) -> float:
        """e to the mean loss of a word."""
        counts = [int((part[:, 1:] != PAD).sum()) for part in ids.split(256)]
        losses = [float(self.loss({"ids": part})) for part in ids.split(256)]
        mean = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
        return round(float(torch.tensor(mean).exp()), 3)

    def say(self) -> str:
        """A sentence that is drawn word by word."""
        ids = [START]
        while ids[-1] != END and len(ids) < 60:
            ids.append(int(torch.multinomial(self.words(torch.tensor([ids]))[0, -1].softmax(-1), 1)))
        return self.encoder.text(ids)
