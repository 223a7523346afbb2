"""Built-in clips with set-up and punchline, in the layout of UR-FUNNY V2.

- ``data_folds.pkl``: {``train``, ``dev``, ``test``: list of ids (int)};
- ``language_sdk.pkl``: id → ``punchline_sentence`` (str), ``context_sentences`` (list of str),
  ``punchline_intervals`` ([start, end] of each word, seconds from the clip's start), ``context_intervals`` (the same
  for each sentence);
- ``humor_label_sdk.pkl``: id → 1 (funny) or 0;
- ``urfunny2_videos/<id>.mp4``.

The pickles hold dicts, lists, strings and numbers and nothing else, in protocol 3, which Python 3.5 wrote by default.
The data set's precomputed features (words as indexes, COVAREP, OpenFace) have no counterpart here.
"""

from __future__ import annotations

import pickle

import numpy as np

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.jokes import PUNCHLINE, SETUP, Joke, balanced, sample_joke
from lstta_world.relevance import relevant_in_shot
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.spans import Span
from lstta_world.splits import SPLITS, Split, scene_rng

FOLDS: dict[Split, str] = {"train": "train", "val": "dev", "test": "test"}
PROTOCOL = 3
EDITION = 2


def plan(split: Split, clips: int, seed: int) -> list[Joke]:
    """The jokes of a split, without rendering anything; half of them funny."""
    deliveries = balanced(np.random.default_rng([seed, SPLITS.index(split)]), clips)
    return [sample_joke(scene_rng(seed, split, index), split, delivery) for index, delivery in enumerate(deliveries)]


def texts(split: Split, clips: int, seed: int) -> list[str]:
    """All set-ups and punchlines of a split."""
    return [talk.line for joke in plan(split, clips, seed) for talk in joke.film.shots]


def humor_id(split: Split, index: int) -> int:
    """From another million a split, so that a split's size changes no other split's names."""
    return SPLITS.index(split) * 1_000_000 + index


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds, each a sample. What is funny about it is in the punchline."""
    jokes = {
        split: {humor_id(split, index): joke for index, joke in enumerate(plan(split, count, seed))}
        for split, count in counts.items()
    }
    named = {name: joke for of_split in jokes.values() for name, joke in of_split.items()}
    return Contents(
        samples=counts,
        annotations={
            "data_folds.pkl": _pickled({FOLDS[split]: list(of_split) for split, of_split in jokes.items()}),
            "language_sdk.pkl": _pickled({name: _language(joke) for name, joke in named.items()}),
            "humor_label_sdk.pkl": _pickled({name: int(joke.funny) for name, joke in named.items()}),
        },
        films={f"urfunny2_videos/{name}.mp4": joke.film for name, joke in named.items()},
        relevant={
            split: {
                str(name): RelevantSample(relevant_in_shot(joke.film, PUNCHLINE)) for name, joke in of_split.items()
            }
            for split, of_split in jokes.items()
        },
    )


DATA_SET = DataSet({"dataset": "urfunny", "edition": EDITION}, contents)


def _language(joke: Joke) -> dict[str, object]:
    return {
        "punchline_sentence": joke.punchline.line,
        "context_sentences": [joke.setup.line],
        "punchline_intervals": _intervals(joke.film.word_spans(PUNCHLINE)),
        "context_intervals": [_intervals(joke.film.word_spans(SETUP))],
    }


def _intervals(spans: list[Span]) -> list[list[float]]:
    return [[round(time, 3) for time in span] for span in spans]


def _pickled(content: object) -> bytes:
    return pickle.dumps(content, protocol=PROTOCOL)
