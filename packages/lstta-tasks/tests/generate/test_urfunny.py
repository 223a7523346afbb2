from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from oracles import Row, accuracy_of_table

from lstta_tasks.generate import truth
from lstta_tasks.generate.jokes import Joke, balanced
from lstta_tasks.generate.scene import INSTRUMENTS
from lstta_tasks.generate.urfunny import generate_urfunny, plan, texts

SIZES = {"train": 4, "val": 1, "test": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "urfunny"
    assert generate_urfunny(folder, **SIZES, seed=5, workers=1).samples == SIZES
    return folder


class NothingButBuiltins(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise AssertionError(f"{module}.{name} is needed")


def load(path: Path) -> Any:
    with path.open("rb") as file:
        return NothingButBuiltins(file).load()


def test_files_are_in_the_layout_of_the_data_set(root: Path) -> None:
    folds = load(root / "data_folds.pkl")
    language, labels = load(root / "language_sdk.pkl"), load(root / "humor_label_sdk.pkl")
    assert {fold: len(ids) for fold, ids in folds.items()} == {"train": 4, "dev": 1, "test": 2}
    everyone = [name for ids in folds.values() for name in ids]
    assert list(language) == list(labels) == everyone
    assert len(set(everyone)) == 7
    for name in everyone:
        assert isinstance(name, int)
        assert (root / "urfunny2_videos" / f"{name}.mp4").is_file()
        assert labels[name] in (0, 1)
        entry = language[name]
        said = [*entry["context_sentences"], entry["punchline_sentence"]]
        intervals = [*entry["context_intervals"], entry["punchline_intervals"]]
        assert [len(sentence.split()) for sentence in said] == [len(words) for words in intervals]
        times = [time for words in intervals for word in words for time in word]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= 8
        assert {type(time) for time in times} == {float}
    assert sum(labels[name] for name in folds["train"]) == 2


def test_a_joke_is_funny_when_ears_and_eyes_disagree() -> None:
    for split in ("train", "test"):
        jokes = plan(split, 304, 3)  # type: ignore[arg-type]
        for joke in jokes:
            (named,) = re.findall("|".join(INSTRUMENTS), joke.punchline.text)
            start, end = joke.punchline.span
            while_it_is_said = {
                joke.scene.performers[note.performer].instrument
                for note in joke.scene.notes
                if note.onset < end and note.onset + note.duration > start
            }
            in_the_picture = {p.instrument for p in joke.scene.performers if p.position is not None}
            assert joke.funny == (named in while_it_is_said - in_the_picture)
            assert len(while_it_is_said) == 2
        assert sum(joke.funny for joke in jokes) == 152


KNOWN: dict[str, Callable[[Joke], Hashable]] = {
    "words": lambda joke: (joke.names, joke.context[1].text),
    "punchline": lambda joke: joke.punchline.text,
    "sight": lambda joke: tuple(truth.visible(joke.scene)),
    "sight in numbers": lambda joke: (len(truth.visible(joke.scene)), joke.scene.place),
    "sound": lambda joke: tuple(sounding(joke)),
    "sound in numbers": lambda joke: round(max(sounding(joke).values()) / min(sounding(joke).values())),
    "sight and sound": lambda joke: len(set(sounding(joke)) & set(dict(truth.visible(joke.scene)))),
    "words and sight": lambda joke: joke.names in dict(truth.visible(joke.scene)),
    "words and sound": lambda joke: joke.names in sounding(joke),
    "words, sight and sound": lambda joke: (
        joke.names in sounding(joke),
        joke.names in dict(truth.visible(joke.scene)),
    ),
}


def sounding(joke: Joke) -> dict[str, float]:
    return truth.sounding(joke.scene, *joke.punchline.span)


def rows(jokes: list[Joke], known: str) -> list[Row]:
    return [(KNOWN[known](joke), joke.funny) for joke in jokes]


def test_all_three_modalities_are_needed() -> None:
    train, test = plan("train", 1000, 0), plan("test", 400, 0)
    accuracy = {known: accuracy_of_table(rows(train, known), rows(test, known)) for known in KNOWN}
    assert accuracy.pop("words, sight and sound") == 1
    assert {known: value for known, value in accuracy.items() if 0.7 <= value <= 0.8}.keys() == {
        "words and sight",
        "words and sound",
    }
    assert all(0.42 <= value <= 0.58 for known, value in accuracy.items() if not known.startswith("words and"))


def test_every_four_are_balanced() -> None:
    named = balanced(np.random.default_rng(0), 14)
    assert len(named) == 14
    assert sorted(named[4:8]) == ["earlier", "seen", "unseen", "unseen"]


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    joke = plan("val", 1, 5)[0]
    assert texts("val", 1, 5) == [joke.context[0].text, joke.context[1].text, joke.punchline.text]
