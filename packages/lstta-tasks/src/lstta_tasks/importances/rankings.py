"""In which order segments are removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstta_core.interfaces import Modality

Scores = Mapping[str, Mapping[Modality, NDArray[np.floating]]]
"""(T,) of each sample and modality."""

IMPORTANCE, ATTENTION, CHANCE = "importance", "attention", "chance"
LOWEST, HIGHEST, ANOTHER, RANDOM = "lowest first", "highest first", "another clip's lowest first", "random"


@dataclass(frozen=True)
class Order:
    """An order of removal.

    Attributes:
        by: the explanation that ranks, or chance.
        way: what goes first.
        scores: what segments are ranked by, sight and sound each by its own.
        highest: whether the highest go first, or the lowest.
    """

    by: str
    way: str
    scores: Scores
    highest: bool = False


def orders(explanations: Mapping[str, Scores], draws: int, clips: Mapping[str, str]) -> list[Order]:
    """All orders that are compared.

    By each explanation, lowest and highest first, and lowest first of another clip's, which shows what the mere place
    in a clip tells (left out where all samples are about one clip); and at random, ``draws`` times.

    Args:
        explanations: by name.
        draws: how often at random.
        clips: the id of each sample's clip.
    """
    several = len(set(clips.values())) > 1
    by_explanation = []
    for name, scores in explanations.items():
        by_explanation += [
            Order(name, LOWEST, scores),
            Order(name, HIGHEST, scores, highest=True),
            *([Order(name, ANOTHER, of_another_clip(scores, clips))] if several else []),
        ]
    like = next(iter(explanations.values()))
    return by_explanation + [Order(CHANCE, RANDOM, at_random(like, draw)) for draw in range(draws)]


def of_another_clip(scores: Scores, clips: Mapping[str, str]) -> Scores:
    """Each sample with the scores of the first one of another clip, from half the list away on.

    Args:
        scores: of all samples.
        clips: the id of each one's clip; two at least.
    """
    samples = list(scores)
    count = len(samples)
    others = {}
    for place, sample in enumerate(samples):
        from_half = (samples[(place + count // 2 + step) % count] for step in range(count))
        others[sample] = next(scores[other] for other in from_half if clips[other] != clips[sample])
    return others


def at_random(like: Scores, draw: int) -> Scores:
    """Random scores for the same samples and modalities."""
    rng = np.random.default_rng(draw)
    return {s: {m: rng.random(len(values)) for m, values in by_modality.items()} for s, by_modality in like.items()}
