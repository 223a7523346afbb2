"""``predict_many`` against ``predict``, for all that may be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import untrained
from small_world import write_film

from lstta_tasks.adapters import Predictor
from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.sample import Sample, TimedText
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.inference import Inference


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    for number in range(5):
        write_film(folder / f"{number}.mp4", loud=number % 2 == 0, shade=10 * number)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return untrained.predictor(AVQA(answers=["left", "right", "middle"]))


def same(one: Any, two: Any) -> bool:
    return bool(one["answer"] == two["answer"])


def test_answers_are_those_of_predict_in_order(predictor: Predictor, films: list[Path]) -> None:
    texts = ["Is it loud?", None, "Which one?", "What?", "a b c d"]
    expected = [predictor.predict(film, text) for film, text in zip(films, texts, strict=True)]
    for batch_size in (1, 2, 8):
        found = list(predictor.predict_many(zip(films, texts, strict=True), batch_size=batch_size))
        assert all(map(same, found, expected))
    assert same(next(predictor.predict_many([str(films[1])])), expected[1])


def test_samples_with_their_clips_and_batches_of_a_loader(predictor: Predictor, films: list[Path]) -> None:
    items = []
    for film in films:
        source = ClipSource(film.stem, film)
        items.append((Sample(film.stem, source, text="Is it?", target=0), decode_clip(source, predictor.preprocessing)))
    expected = [predictor.predict(film, "Is it?") for film in films]
    assert all(map(same, predictor.predict_many(items, batch_size=2), expected))
    batches = [predictor.collate(items[:3]), predictor.collate(items[3:])]
    assert all(map(same, predictor.predict_many(batches), expected))
    mixed = [films[0], *batches]
    assert len(list(predictor.predict_many(mixed))) == 6


def test_subtitles(films: list[Path]) -> None:
    predictor = untrained.predictor(Inference())
    timed = (TimedText(0.0, 0.5, "what is said"),)
    (found,) = predictor.predict_many([(films[0], "it is loud", timed)])
    assert found == predictor.predict(films[0], "it is loud", timed)


def test_one_that_cannot_be_read(predictor: Predictor, films: list[Path], tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film")
    asked = [films[0], tmp_path / "bad.mp4", films[1]]
    found = list(predictor.predict_many(asked, errors="return"))
    assert isinstance(found[1], DecodeError)
    assert same(found[2], predictor.predict(films[1]))
    answers = predictor.predict_many(asked)
    assert same(next(answers), predictor.predict(films[0]))
    with pytest.raises(DecodeError, match=r"bad.mp4"):
        next(answers)


def test_nothing_is_taken_before_an_answer_is_wanted(predictor: Predictor, films: list[Path]) -> None:
    taken = []

    def endless() -> Any:
        while True:
            taken.append(films[0])
            yield films[0]

    answers = predictor.predict_many(endless(), batch_size=2, workers=1)
    assert taken == []
    next(answers)
    assert len(taken) <= 7
    answers.close()  # type: ignore[attr-defined]


def test_arguments_are_checked(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="batch_size must be 1 or more"):
        predictor.predict_many([], batch_size=0)
