"""A ranking task of somebody else is inferred, ranked and drawn: nothing here knows a task by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch.nn.functional as F
import untrained
from PIL import Image
from small_world import write_film
from torch import Tensor, nn

from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.ranking import Ranking
from lstta_tasks.answers.report import Report, Score
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.explain.answer_table import print_answers
from lstta_tasks.explain.as_json import as_json
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.infer import draw, infer
from lstta_tasks.network import TaskModel
from lstta_tasks.retrieval.network import RetrievalNetwork
from lstta_tasks.retrieval.retriever import Retriever
from lstta_tasks.sample import Predictions, Sample, Target
from lstta_tasks.task import Split, Task

TEXTS = ["loud and bright", "soft and dark", "it is silent"]


class Jingles(Task):
    """Which jingle goes with which advertisement."""

    name = "jingles"
    answer: AnswerKind = Ranking(embedding=5)

    def splits(self) -> list[Split]:
        return ["train"]

    def clips(self, split: Split) -> list[ClipSource]:
        return []

    def samples(self, split: Split) -> list[Sample]:
        return []

    def options(self) -> dict[str, Any]:
        return {}


class Joint(Jingles):
    answer = Ranking(embedding=5, joint=True)


class Plausibility(AnswerKind):
    """A ranking of another kind: one tower that reads text and clip together, and one number."""

    ranks = True

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, 1)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output[:, 0], target.to(output.dtype))

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        return [{"plausibility": number} for number in output[:, 0].tolist()]

    def describe(self, output: Tensor) -> list[Answer]:
        return [Answer("plausibility", measure="plausibility", score=number) for number in output[:, 0].tolist()]

    def report(self, predictions: Predictions, samples: Any) -> Report:
        return Report("none", (Score("none", 0.0, len(samples)),))

    def names(self, target: Target) -> list[str]:
        return []

    def right(self, sample: Sample) -> dict[str, Any]:
        return {"plausibility": sample.target}

    def trivial(self, samples: Any) -> None:
        return None


class Plausible(Jingles):
    answer = Plausibility()


MEASURES = {Jingles: "cosine", Joint: "match", Plausible: "plausibility"}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    write_film(tmp_path / "films" / "a.mp4")
    write_film(tmp_path / "films" / "b.mp4", loud=False, bright=False)
    return tmp_path / "films"


@pytest.mark.parametrize("kind", MEASURES)
def test_it_is_inferred_ranked_and_drawn(
    kind: type[Jingles], films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    predictor = untrained.predictor(kind())
    monkeypatch.setattr("lstta_tasks.explain.infer.load", lambda *arguments, **options: predictor)
    inferred = infer(Path("adapter"), films, TEXTS)
    measure = MEASURES[kind]
    assert inferred.measure == measure
    assert list(inferred.rankings) == TEXTS
    for text, ranking in inferred.rankings.items():
        assert [clip for clip, _ in ranking] in (["a.mp4", "b.mp4"], ["b.mp4", "a.mp4"])
        assert ranking == sorted(ranking, key=lambda one: -one[1])
        by_clip = {e.source.id: e.answer.choices[text] for e in inferred.explanations}
        assert dict(ranking) == by_clip
    assert all(len(e.answer.choices) == len(TEXTS) for e in inferred.explanations)
    assert all(e.attention for e in inferred.explanations)
    page, pictures = draw(inferred, tmp_path / "out", most=5)
    assert measure in page.read_text(encoding="utf-8")
    assert [Image.open(path).width for path in pictures] == [1100, 1100]
    print_answers(inferred)
    assert measure in capsys.readouterr().out
    assert as_json(inferred)["rankings"][TEXTS[0]][0][measure] == inferred.rankings[TEXTS[0]][0][1]


def test_the_numbers_are_those_of_its_network(films: Path) -> None:
    predictor = untrained.predictor(Plausible())
    assert isinstance(predictor.model, TaskModel)
    (found,) = explain(predictor, films / "a.mp4", TEXTS)
    expected = {text: predictor.predict(films / "a.mp4", text)["plausibility"] for text in TEXTS}
    assert found.answer.choices == pytest.approx(expected, abs=1e-5)


def test_it_is_searched_too(films: Path) -> None:
    predictor = untrained.predictor(Jingles())
    assert isinstance(predictor.model, RetrievalNetwork)
    ranked = Retriever(predictor).rank(TEXTS[0], [films / "a.mp4", films / "b.mp4"])
    expected = predictor.predict(ranked[0][0], TEXTS[0])["similarity"]
    assert ranked[0][1] == pytest.approx(expected, abs=1e-5)


def test_without_texts_it_says_its_name(films: Path) -> None:
    with pytest.raises(ValueError, match="jingles compares clips with texts: give at least one"):
        explain(untrained.predictor(Jingles()), films / "a.mp4", [" "])


def test_options_are_refused_by_tasks_that_have_none(films: Path) -> None:
    with pytest.raises(ValueError, match="the task jingles has no options"):
        explain(untrained.predictor(Jingles()), films / "a.mp4", TEXTS, options=list("abcd"))
