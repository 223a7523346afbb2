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
from pathlib import Path

import numpy as np

from lstta_world.dataset import Folder, Report, write_bytes, write_films
from lstta_world.jokes import PUNCHLINE, SETUP, Joke, balanced, sample_joke
from lstta_world.scene import SPLITS, Split, scene_rng
from lstta_world.spans import Span

FOLDS: dict[Split, str] = {"train": "train", "val": "dev", "test": "test"}
PROTOCOL = 3
EDITION = 2


def generate_urfunny(
    root: Path, *, train: int = 2000, val: int = 200, test: int = 300, seed: int = 0, workers: int = 2
) -> Report:
    """Write ``train`` + ``val`` + ``test`` clips of eight seconds, each a sample.

    A second run with the same arguments does nothing; one that was interrupted goes on where it was.

    Raises:
        ValueError: ``root`` holds something that was not generated with these arguments.
    """
    root = Path(root)
    counts: dict[Split, int] = {"train": train, "val": val, "test": test}
    folder = Folder(
        root, {"dataset": "urfunny", "edition": EDITION, "train": train, "val": val, "test": test, "seed": seed}
    )
    earlier = folder.begin()
    if earlier is not None:
        return earlier
    videos = root / "urfunny2_videos"
    videos.mkdir(exist_ok=True)
    jokes = {
        humor_id(split, index): joke
        for split, count in counts.items()
        for index, joke in enumerate(plan(split, count, seed))
    }
    folds = {FOLDS[split]: [humor_id(split, index) for index in range(count)] for split, count in counts.items()}
    _write_pickle(root / "data_folds.pkl", folds)
    _write_pickle(root / "language_sdk.pkl", {name: _language(joke) for name, joke in jokes.items()})
    _write_pickle(root / "humor_label_sdk.pkl", {name: int(joke.funny) for name, joke in jokes.items()})
    rendered, kept = write_films([(videos / f"{name}.mp4", joke.film) for name, joke in jokes.items()], workers)
    sizes = {str(split): count for split, count in counts.items()}
    return folder.finish(sizes, dict(sizes), rendered, kept)


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


def _language(joke: Joke) -> dict[str, object]:
    return {
        "punchline_sentence": joke.punchline.line,
        "context_sentences": [joke.setup.line],
        "punchline_intervals": _intervals(joke.film.word_spans(PUNCHLINE)),
        "context_intervals": [_intervals(joke.film.word_spans(SETUP))],
    }


def _intervals(spans: list[Span]) -> list[list[float]]:
    return [[round(time, 3) for time in span] for span in spans]


def _write_pickle(path: Path, content: object) -> None:
    write_bytes(path, pickle.dumps(content, protocol=PROTOCOL))
