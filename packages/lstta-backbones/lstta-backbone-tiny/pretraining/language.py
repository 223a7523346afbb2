"""The language encoder's problem: masked words over the texts of all built-in data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from problems import Batch, Problem
from texts import ORDINARY_WORDS, texts
from torch import Tensor, nn

from lstta_backbone_tiny.language import MASK, SPECIAL, TinyLanguage, split_words
from lstta_world.vocabulary import ANSWERS


class LanguageProblem(Problem):
    """Words that are hidden in a text; each batch is of one data set, all equally often."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        lines = texts("train", scenes, seed)
        every_text = [*ANSWERS, *ORDINARY_WORDS, *(line for part in lines.values() for line in part)]
        words = sorted({word for text in every_text for word in split_words(text.replace("_", " "))})
        self.encoder = TinyLanguage(words=words)
        self.tokenize = self.encoder.spec.tokenize
        self.probe = nn.Linear(128, len(SPECIAL) + len(words))
        self.train_ids = {name: self.tokens(part) for name, part in lines.items()}
        self.held_out = {
            split: {name: self.tokens(part) for name, part in texts(split, scenes // 6, seed).items()}
            for split in ("val", "test")
        }
        path = Path(__file__).parents[1] / "src/lstta_backbone_tiny/weights/words.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(words, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")

    def tokens(self, lines: list[str]) -> Tensor:
        """Ids (lines, longest), padded."""
        return nn.utils.rnn.pad_sequence([torch.tensor(self.tokenize(line)) for line in lines], batch_first=True)

    def draw(self, batch: int) -> Batch:
        sources = list(self.train_ids.values())
        ids = sources[int(torch.randint(len(sources), ()))]
        rows = ids[torch.randint(len(ids), (batch,))]
        return self.hide(rows[:, : int((rows > 0).sum(1).max())], 0.25)

    def hide(self, ids: Tensor, share: float) -> Batch:
        """Ids with a share of the words hidden."""
        hidden = (torch.rand(ids.shape) < share) & (ids > 0)
        return {"ids": torch.where(hidden, MASK, ids), "truth": ids, "hidden": hidden}

    def words(self, batch: Batch) -> Tensor:
        ids = batch["ids"][:, None]
        return self.probe(self.encode({"ids": ids, "mask": ids > 0}))

    def loss(self, batch: Batch) -> Tensor:
        return F.cross_entropy(self.words(batch)[batch["hidden"]], batch["truth"][batch["hidden"]])

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        return {
            split: {f"hidden words, {name}": self.accuracy(ids) for name, ids in parts.items()}
            for split, parts in self.held_out.items()
        }

    def accuracy(self, ids: Tensor) -> float:
        """The share of hidden words that are found, 15 % of each text being hidden."""
        right, hidden = 0, 0
        for part in ids.split(512):
            batch = self.hide(part, 0.15)
            correct = self.words(batch).argmax(-1) == batch["truth"]
            right += int(correct[batch["hidden"]].sum())
            hidden += int(batch["hidden"].sum())
        return round(right / hidden, 4)
