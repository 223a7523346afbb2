"""MUSIC-AVQA's questions and AVSD's dialogues, answered in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstta_tasks.task import Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.avsd import FILES, UNTOLD
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


DIALOGUE = [("is there anybody ? ", "one man"), ("what does he do ?", "he sneezes twice"), ("is he heard ?", "yes")]


def avsd(root: Path, dialogues: dict[str, list[tuple[str, str]]]) -> None:
    """Each of the three files, with all fields that the data set has."""
    rows = [
        {
            "image_id": video,
            "caption": "a man sits .",
            "summary": "he sneezes",
            "dialog": [{"question": question, "answer": answer} for question, answer in turns],
        }
        for video, turns in dialogues.items()
    ]
    content = {"type": "scene_aware_dialog", "version": "0.1", "dialogs": rows}
    for name in FILES.values():
        (root / name).write_text(json.dumps(content), encoding="utf-8")


class TestDialogues(TaskConformance):
    root: Path

    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.root = tmp_path
        avsd(tmp_path, {"VC5RZ": DIALOGUE, "YEDU4": DIALOGUE[1:]})

    def make_task(self) -> Task:
        return OpenQA(root=self.root, length=3)


def test_a_question_of_a_dialogue_has_the_turns_before_it(tmp_path: Path) -> None:
    avsd(tmp_path, {"VC5RZ": DIALOGUE, "YEDU4": [("who ?", "a cat"), ("where ?", UNTOLD)]})
    task = OpenQA(root=tmp_path, history=1)
    assert [(s.id, s.text, s.answers) for s in task.samples("train")] == [
        ("VC5RZ#1", "is there anybody ?", ("one man",)),
        ("VC5RZ#2", "is there anybody ? one man what does he do ?", ("he sneezes twice",)),
        ("VC5RZ#3", "what does he do ? he sneezes twice is he heard ?", ("yes",)),
        ("YEDU4#1", "who ?", ("a cat",)),
    ]
    assert [(s.id, s.source.video) for s in task.samples("test")] == [("VC5RZ#3", tmp_path / "videos/VC5RZ.mp4")]
    assert [s.text for s in OpenQA(root=tmp_path, history=0).samples("val")][1] == "what does he do ?"
    assert task.answer.metrics == "captions"
    with pytest.raises(ValueError, match=r"task\.history must be 0 or more"):
        OpenQA(history=-1)


@pytest.mark.parametrize(
    ("dialogues", "message"),
    [
        ({"a": []}, r"dialogue 0: field 'dialog' has no turn"),
        ({"../a": DIALOGUE}, r"field 'image_id' leads out of the data set's folder"),
        ({"a": [("who ?", "")]}, r"dialogue 0, turn 1: field 'answer' is empty"),
        ({"a": [("who ?", UNTOLD)]}, r"no question has an answer that is told"),
        ({}, r"a list 'dialogs' that is not empty is wanted"),
    ],
)
def test_what_is_wrong_with_dialogues_is_named(
    tmp_path: Path, dialogues: dict[str, list[tuple[str, str]]], message: str
) -> None:
    avsd(tmp_path, dialogues)
    with pytest.raises(ValueError, match=message) as error:
        OpenQA(root=tmp_path).samples("train")
    assert str(tmp_path / FILES["train"]) in str(error.value)
