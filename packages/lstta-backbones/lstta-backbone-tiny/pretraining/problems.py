"""What the three problems share: inputs with their truth, a probe on the encoder, a loss and accuracies.

Evaluation is on scenes that training has not seen, in the style of train and in the style of test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from multiprocessing import Pool
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lstta_core.interfaces import Encoder
from lstta_world.casting import sample_person, sample_talk
from lstta_world.opinions import sample_line
from lstta_world.remarks import KINDS, sample_news
from lstta_world.scene import INSTRUMENTS
from lstta_world.splits import Split
from lstta_world.talk import CONTOURS, EXPRESSIONS, Talk, Tone

SEED = 7_000_000
"""Added to the seed of all pretraining scenes, so that none is a scene of the built-in data sets."""
TALKERS = 1_000_000
"""Added to the index of all pretraining talks, so that their random numbers are not those of scenes."""
TALKING = 0.375
"""Talkers' share of a batch."""
NOBODY = len(INSTRUMENTS)

Batch = dict[str, Tensor]


class Queries(nn.Module):
    """One attention-pooled vector a question, and a linear answer: the probes of sight and sound."""

    def __init__(self, *, width: int, queries: int, answers: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.answer = nn.Parameter(torch.randn(queries, width, answers) * width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """(R, M, D) to (R, queries, answers)."""
        weights = (tokens @ self.queries.T).softmax(1)
        return torch.einsum("rmq,rmd,qda->rqa", weights, tokens, self.answer)


def share(answers: Tensor, truth: Tensor) -> float:
    """The share of answers that are true."""
    return round((answers == truth).float().mean().item(), 4)


class Problem(ABC):
    """One encoder's pretraining."""

    encoder: Encoder
    probe: nn.Module

    @abstractmethod
    def __init__(self, *, scenes: int, seed: int) -> None: ...

    @abstractmethod
    def draw(self, batch: int) -> Batch:
        """A random training batch."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, ()."""

    @abstractmethod
    def evaluate(self) -> dict[str, Any]:
        """Accuracies by name."""

    def encode(self, inputs: Batch) -> Tensor:
        """The encoder's finished tokens."""
        state = self.encoder.embed(inputs)
        for block in range(self.encoder.depth):
            state = self.encoder.run_block(block, state)
        return self.encoder.finish(state).tokens


def render(function: Callable[[tuple[Split, int, int]], Batch], split: Split, scenes: int, seed: int) -> Batch:
    """What ``function`` makes of many scenes, joined; in two processes."""
    jobs = [(split, seed + SEED, i) for i in range(scenes)]
    with Pool(2) as pool:
        parts = list(tqdm(pool.imap(function, jobs, chunksize=16), total=scenes, desc=f"{split} scenes", disable=None))
    return {key: torch.from_numpy(np.concatenate([part[key] for part in parts])) for key in parts[0]}


def random_talk(rng: np.random.Generator, split: Split) -> Talk:
    """Anybody who says anything, in any tone and with any expression."""
    kind = int(rng.integers(2 * len(KINDS)))
    line = sample_news(rng, KINDS[kind]) if kind < len(KINDS) else sample_line(rng, int(rng.integers(-2, 3)))
    tone = Tone(CONTOURS[rng.integers(3)], wide=bool(rng.random() < 0.5), loud=bool(rng.random() < 0.5))
    person = sample_person(rng, split)
    return sample_talk(rng, person, line=line, tone=tone, expression=EXPRESSIONS[rng.integers(4)])


def pick(data: Batch, index: Tensor) -> Batch:
    """Some rows of all tensors."""
    return {key: value[index] for key, value in data.items()}


def draw_both(scenes: Batch, talks: Batch, batch: int) -> Batch:
    """Random rows of musicians and, :data:`TALKING` of them, of talkers."""
    parts = []
    for data, count in ((scenes, batch - round(TALKING * batch)), (talks, round(TALKING * batch))):
        rows = len(next(iter(data.values())))
        parts.append(pick(data, torch.randint(rows, (count,))))
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
