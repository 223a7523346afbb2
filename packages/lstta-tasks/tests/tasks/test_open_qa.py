"""MUSIC-AVQA's questions, answered in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstta_tasks.task import Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.open_qa import OpenQA
from lstta_tasks.testing import TaskConformance

ROWS = [("Audio", "Counting", "two"), ("Audio", "Counting", "more than ten"), ("Visual", "Location", "bass_drum")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [
        {
            "video_id": f"0000000{number % 2}",
            "question_id": number,
            "type": json.dumps([modality, kind]),
            "question_content": "How many <Object> are there?",
            "templ_values": '["flute"]',
            "question_deleted": 0,
            "anser": answer,
        }
        for number, (modality, kind, answer) in enumerate(ROWS)
    ]
    for split in ("train", "val", "test"):
        (tmp_path / f"avqa-{split}.json").write_text(json.dumps(rows), encoding="utf-8")
    return tmp_path


class TestOpenQA(TaskConformance):
    root: Path

    @pytest.fixture(autouse=True)
    def _written(self, root: Path) -> None:
        self.root = root

    def make_task(self) -> Task:
        return OpenQA(root=self.root, length=3)


def test_the_questions_are_those_of_avqa_and_answers_are_words(root: Path) -> None:
    ours, theirs = OpenQA(root=root).samples("val"), AVQA(root=root).samples("val")
    assert [(s.id, s.text, s.source, s.labels) for s in ours] == [(s.id, s.text, s.source, s.labels) for s in theirs]
    assert [s.answers for s in ours] == [("two",), ("more than ten",), ("bass drum",)]


def test_exact_answers_are_counted_by_type(root: Path) -> None:
    task = OpenQA(root=root)
    samples = task.samples("test")
    said = {"0": {"text": "Two."}, "1": {"text": "ten"}, "2": {"text": "bass drum"}}
    report = task.answer.report(said, samples)
    assert report.primary == "exact"
    assert {score.name: score.value for score in report.scores} == {
        "exact": pytest.approx(2 / 3),
        "Audio": 0.5,
        "Audio/Counting": 0.5,
        "Visual": 1.0,
        "Visual/Location": 1.0,
    }
