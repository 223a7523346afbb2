"""The language encoder's problem: masked words over the texts of all built-in data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from problems import Batch, Problem
from texts import FUNCTION_WORDS, texts
from torch import Tensor, nn

from lstta_backbone_tiny.language import MASK, SPECIAL, TinyLanguage, split_words
from lstta_tasks.generate.vocabulary import ANSWERS


class LanguageProblem(Problem):
    """Words that are hidden in a question."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        lines = texts("train", scenes, seed)
        words = {word for text in [*lines, *ANSWERS, *FUNCTION_WORDS] for word in split_words(text.replace("_", " "))}
        self.encoder = TinyLanguage(words=sorted(words))
        self.tokenize = self.encoder.spec.tokenize
        self.probe = nn.Linear(128, len(SPECIAL) + len(words))
        self.train_ids = self.tokens(lines)
        self.held_out = {split: self.tokens(texts(split, scenes // 6, seed)) for split in ("val", "test")}
        path = Path(__file__).parents[1] / "src/lstta_backbone_tiny/weights/words.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(sorted(words), indent=0) + "\n")

    def tokens(self, texts: list[str]) -> Tensor:
        ids = [torch.tensor(self.tokenize(text)) for text in texts]
        return nn.utils.rnn.pad_sequence(ids, batch_first=True)

    def draw(self, batch: int) -> Batch:
        return self.hide(self.train_ids[torch.randint(len(self.train_ids), (batch,))], 0.25)

    def hide(self, ids: Tensor, share: float) -> Batch:
        hidden = (torch.rand(ids.shape) < share) & (ids > 0)
        return {"ids": torch.where(hidden, MASK, ids), "truth": ids, "hidden": hidden}

    def words(self, batch: Batch) -> Tensor:
        ids = batch["ids"][:, None]
        return self.probe(self.encode({"ids": ids, "mask": ids > 0}))

    def loss(self, batch: Batch) -> Tensor:
        return F.cross_entropy(self.words(batch)[batch["hidden"]], batch["truth"][batch["hidden"]])

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, ids in self.held_out.items():
            batch = self.hide(ids, 0.15)
            right = self.words(batch).argmax(-1) == batch["truth"]
            result[split] = {"hidden words": round(right[batch["hidden"]].float().mean().item(), 4)}
        return result
