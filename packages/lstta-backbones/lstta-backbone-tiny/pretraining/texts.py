"""The texts of all built-in data sets, in one place; and ordinary words that the vocabulary has besides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from problems import SEED

from lstta_tasks.tasks.avqa import fill
from lstta_world import meld, mosi, msrvtt, music_avqa, urfunny, violin
from lstta_world.splits import Split


def questions(split: Split, clips: int, seed: int) -> list[tuple[str, str]]:
    """The questions about a split's clips, each with its answer."""
    asked = [question for _, asked in music_avqa.plan(split, clips, seed) for question in asked]
    return [
        (fill(question.template.text, question.values, "generated"), question.answer.replace("_", " "))
        for question in asked
    ]


def asked(split: Split, clips: int, seed: int) -> list[str]:
    """The questions alone."""
    return [question for question, _ in questions(split, clips, seed)]


SOURCES: dict[str, Callable[[Split, int, int], list[str]]] = {
    "avqa": asked,
    "retrieval": msrvtt.texts,
    "inference": violin.texts,
    "humor": urfunny.texts,
    "sentiment": mosi.texts,
    "emotion": meld.texts,
}


def texts(split: Split, clips: int, seed: int) -> dict[str, list[str]]:
    """The texts of ``clips`` clips of each data set, none of which is a clip of the built-in data sets themselves."""
    return {name: source(split, clips, seed + SEED) for name, source in SOURCES.items()}


# Function words and the most ordinary others: simple sentences of one's own are then not all unknown words.
ORDINARY_WORDS = Path(__file__).with_name("ordinary_words.txt").read_text(encoding="utf-8").split()
