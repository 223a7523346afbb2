"""What ``lstta test`` writes of each sample, read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.answers.scale import Scale
from lstta_tasks.answers.several_labels import SeveralLabels
from lstta_tasks.answers.yes_or_no import YesOrNo
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.experiment.rows import check_suffix, rows_of, write_rows
from lstta_tasks.sample import Sample, Target
from lstta_tasks.task import Task

SOURCE = ClipSource('a "clip", of one', Path("v.mp4"))


class Some(Task):
    name = "some"
    answer: AnswerKind = OneOfMany("abc")

    def __init__(self, answer: AnswerKind) -> None:
        self.answer = answer  # type: ignore[misc]

    def splits(self) -> list:  # type: ignore[type-arg]
        return []

    def clips(self, split: str) -> list:  # type: ignore[type-arg]
        return []

    def samples(self, split: str) -> list:  # type: ignore[type-arg]
        return []

    def options(self) -> dict:  # type: ignore[type-arg]
        return {}


@pytest.mark.parametrize(
    ("kind", "targets", "width"),
    [
        (OneOfMany(["cello", "=1+1", "a,b"]), [2, 0, OUTSIDE, 1, 1], 3),
        (YesOrNo("funny", "not funny"), [0, 1, 1, 0, 1], 1),
        (Scale(-3, 3), [0.5, -1.25, 3, 0, 1], 1),
        (SeveralLabels(["x", "y"]), [(0, 1), (1, 1), (0, 0), (1, 0), (0, 1)], 2),
    ],
    ids=["one of many", "yes or no", "scale", "several labels"],
)
def test_both_files_hold_the_same(kind: AnswerKind, targets: list[Target], width: int, tmp_path: Path) -> None:
    output = torch.from_numpy(np.random.default_rng(1).normal(size=(5, width)))
    samples = [Sample(f"s{i}", SOURCE, None, t, ("harp",)) for i, t in enumerate(targets)]
    ids = [sample.id for sample in samples[1:]]  # the first has none
    predictions = dict(zip(ids, kind.predict(output[1:]), strict=True))
    choices = {name: answer.choices for name, answer in zip(ids, kind.describe(output[1:]), strict=True)}
    rows = rows_of(Some(kind), samples, predictions, choices)
    assert [row["sample"] for row in rows] == ids
    for path in (tmp_path / "a.csv", tmp_path / "a.jsonl"):
        write_rows(path, rows)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == json.loads(json.dumps(rows))
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for cells, row in zip(table, rows, strict=True):
        assert (cells["sample"], cells["clip"]) == (row["sample"], SOURCE.id)
        truth, said = row["truth"], row["prediction"]
        of_truth, of_said = cells["truth"], cells["prediction"]
        assert (of_truth if isinstance(truth, str) else json.loads(of_truth)) == truth
        assert (of_said if isinstance(said, str) else json.loads(of_said)) == said
        for name, probability in row.get("probabilities", {}).items():
            assert float(cells[f"p({name})"]) == probability
        if kind.classes:
            assert list(row["probabilities"]) == list(kind.classes)
            assert row["confidence"] == row["probabilities"][said] == max(row["probabilities"].values())
    if isinstance(kind, OneOfMany):
        assert rows[1]["truth"] == "harp"


def test_other_names_of_files_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--predictions a\.txt: a name that ends in \.csv or \.jsonl is wanted"):
        check_suffix(Path("a.txt"))
