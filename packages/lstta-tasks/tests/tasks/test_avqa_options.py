"""AVQA's files with four options: fields, the held-out split, the metric against scikit-learn's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from lstta_tasks.tasks.avqa_options import AVQAOptions
from lstta_tasks.tasks.held_out import tenth

Write = Callable[..., AVQAOptions]


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "video_name": f"clip{number // 3}_000030",
        "video_id": number // 3,
        "question_text": "What makes the sound? ",
        "multi_choice": ["a dog", "a cat", "rain", "a car"],
        "answer": number % 4,
        "question_relation": ("View", "Sound", "Both")[number % 3],
        "question_type": "What",
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(train: list[Any], test: list[Any] | None = None) -> AVQAOptions:
        (tmp_path / "json").mkdir(exist_ok=True)
        (tmp_path / "json" / "train_qa.json").write_text(json.dumps(train))
        if test is not None:
            (tmp_path / "val_qa.json").write_text(json.dumps(test))
        return AVQAOptions(root=tmp_path)

    return make


def test_val_is_held_out_of_train_by_video_and_the_public_val_is_test(write: Write) -> None:
    task = write([row(i) for i in range(300)], [row(i) for i in range(1000, 1006)])
    train, val, test = (task.samples(split) for split in ("train", "val", "test"))
    assert len(train) + len(val) == 300
    assert {s.source.id for s in val} == {f"clip{i}_000030" for i in range(100) if tenth(f"clip{i}_000030") == 0}
    assert val
    assert not {s.source.id for s in val} & {s.source.id for s in train}
    assert len(test) == 6
    assert task.splits() == ["train", "val", "test"]
    assert {clip.id for clip in task.clips("val")} == {s.source.id for s in val}


def test_a_sample(write: Write, tmp_path: Path) -> None:
    (tmp_path / "clip333_000030.mp4").touch()
    (sample,) = write([row(0)], [row(1001, id=7)]).samples("test")
    assert sample.id == "7"
    assert sample.text == "What makes the sound? A: a dog B: a cat C: rain D: a car"
    assert sample.target == 1
    assert sample.source.video == tmp_path / "clip333_000030.mp4"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": 4}, "field 'answer' must be an index from 0 to 3, got 4"),
        ({"answer": "1"}, "field 'answer' must be of type int, got '1'"),
        ({"multi_choice": ["a", "b"]}, "field 'multi_choice' must be 4 texts"),
        ({"question_text": None}, "field 'question_text' must be of type str, got None"),
    ],
)
def test_bad_rows(write: Write, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=rf"train_qa.json, row 1: {said}"):
        write([row(0), row(1, **changes)]).samples("train")


@pytest.mark.parametrize(("content", "said"), [("[]", "an empty list"), ("{}", "got dict"), ("[3", "not JSON")])
def test_bad_files(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "train_qa.json").write_text(content)
    with pytest.raises(ValueError, match=f"train_qa.json.*{said}"):
        AVQAOptions(root=tmp_path).samples("train")


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"set task.root"):
        AVQAOptions(root=tmp_path).splits()
    with pytest.raises(FileNotFoundError, match="no such folder"):
        AVQAOptions(root=tmp_path / "none").splits()


@pytest.mark.parametrize("count", [53, 1])
def test_accuracies_are_scikit_learns(write: Write, count: int) -> None:
    random = np.random.default_rng(count)
    rows = [row(i, answer=int(random.integers(4))) for i in range(count)]
    task = write([row(0)], rows)
    output = torch.from_numpy(random.standard_normal((count, 4)))
    samples = task.samples("test")
    report = task.answer.report(dict(zip((s.id for s in samples), task.answer.predict(output), strict=True)), samples)
    truth, found = np.array([one["answer"] for one in rows]), output.argmax(1).numpy()
    assert report.value("overall") == pytest.approx(accuracy_score(truth, found))
    for relation in {one["question_relation"] for one in rows}:
        here = np.array([one["question_relation"] == relation for one in rows])
        assert report.value(f"relation/{relation}") == pytest.approx(accuracy_score(truth[here], found[here]))
    assert report.scores[-1].baseline == np.bincount(truth).max() / count
