from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from oracles import Row, accuracy_of_table

from lstta_world.generate import generate
from lstta_world.jokes import Joke, balanced
from lstta_world.opinions import polarity
from lstta_world.urfunny import plan, texts

SIZES = {"train": 4, "val": 1, "test": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "urfunny"
    assert generate("humor", folder, **SIZES, seed=5, workers=1).samples == SIZES
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


def test_a_joke_is_funny_when_the_voice_alone_goes_against_the_words() -> None:
    for split in ("train", "test"):
        jokes = plan(split, 306, 3)  # type: ignore[arg-type]
        for joke in jokes:
            setup, punchline = joke.film.shots
            assert polarity(setup.line) == 0
            praise = polarity(punchline.line) > 0
            assert joke.funny == (
                (shown_while_it_is_said(joke) == "smile") == praise and (punchline.tone.contour == "rising") != praise
            )
        assert sum(joke.funny for joke in jokes) == 153


def shown_while_it_is_said(joke: Joke) -> str:
    start, end = (time - 4 for time in joke.film.spoken(1))
    looks = joke.film.shots[1].looks
    return next(look.expression for look in reversed(looks) if look.onset <= (start + end) / 2)


def words(joke: Joke) -> int:
    return polarity(joke.punchline.line)


def voice(joke: Joke) -> Hashable:
    return joke.punchline.tone


BY_SENSES: dict[str, Callable[[Joke], Hashable]] = {
    "words": words,
    "face": shown_while_it_is_said,
    "voice": voice,
    "set-up": lambda joke: (joke.setup.looks[1].expression, joke.setup.tone.contour),
    "all faces": lambda joke: tuple(look.expression for shot in joke.film.shots for look in shot.looks),
    "words and face": lambda joke: (words(joke), shown_while_it_is_said(joke)),
    "words and voice": lambda joke: (words(joke), voice(joke)),
    "face and voice": lambda joke: (shown_while_it_is_said(joke), voice(joke)),
    "all three": lambda joke: (words(joke), shown_while_it_is_said(joke), voice(joke)),
}


def rows(jokes: list[Joke], senses: str) -> list[Row]:
    return [(BY_SENSES[senses](joke), joke.funny) for joke in jokes]


def test_all_three_modalities_are_needed() -> None:
    train, test = plan("train", 1002, 0), plan("test", 402, 0)
    accuracy = {senses: accuracy_of_table(rows(train, senses), rows(test, senses)) for senses in BY_SENSES}
    assert accuracy.pop("all three") == 1
    pairs = {senses: accuracy.pop(senses) for senses in list(accuracy) if " and " in senses}
    assert list(pairs.values()) == [pytest.approx(5 / 6, abs=0.03)] * 3
    assert all(0.42 <= value <= 0.58 for value in accuracy.values()), accuracy


def test_every_six_are_balanced() -> None:
    deliveries = balanced(np.random.default_rng(0), 20)
    assert len(deliveries) == 20
    assert sorted(deliveries[6:12]) == ["deadpan", "deadpan", "deadpan", "grimacing", "ironic", "sincere"]


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    joke = plan("val", 1, 5)[0]
    assert texts("val", 1, 5) == [joke.setup.line, joke.punchline.line]
