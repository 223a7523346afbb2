"""A CSV file of one's own: columns, splits by hash, spans; the metric against scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score

from lstta_tasks.answers.one_of_many import OUTSIDE
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.tasks.classification import Classification

Write = Callable[[str], Classification]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str) -> Classification:
        (tmp_path / "my.csv").write_text(text, encoding="utf-8")
        return Classification(path=tmp_path / "my.csv")

    return make


class TestReading:
    def test_all_columns(self, write: Write, tmp_path: Path) -> None:
        task = write(
            "label,video,text,split,start,end,more\n"
            'cat,a b.mp4,"what, ""this""?\nyes",train,,,x\n'
            "dog,/else/c.mp4,,train,1.5,4,\n"
            "owl,d.mp4,,test,,,\n"
        )
        samples = task.samples("train")
        assert task.answer.classes == ("cat", "dog")
        assert [(s.id, s.text, s.target, s.labels) for s in samples] == [
            ("3", 'what, "this"?\nyes', 0, ("cat",)),
            ("4", None, 1, ("dog",)),
        ]
        assert task.clips("train") == [
            ClipSource("a b.mp4", tmp_path / "a b.mp4"),
            ClipSource("/else/c.mp4@1.5-4", Path("/else/c.mp4"), start=1.5, end=4.0),
        ]
        assert task.splits() == ["train", "test"]
        assert task.samples("test")[0].target == OUTSIDE

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, write: Write) -> None:
        assert write("\ufeffvideo,label\na.mp4,cat\n").splits()

    def test_without_a_split_column_the_videos_hash_decides(self, write: Write) -> None:
        rows = [f"{i % 997}.mp4,{'cat' if i % 2 else 'dog'}\n" for i in range(2000)]
        task = write("video,label\n" + "".join(rows))
        ids = {split: {s.source.id for s in task.samples(split)} for split in ("train", "val", "test")}
        assert sum(len(videos) for videos in ids.values()) == 997
        assert len(ids["train"]) == pytest.approx(0.8 * 997, rel=0.05)
        assert len(ids["val"]) == pytest.approx(0.1 * 997, rel=0.2)
        fewer = write("video,label\n" + "".join(rows[:500]))
        assert {s.source.id for s in fewer.samples("val")} <= ids["val"]

    def test_it_can_be_made_again_without_its_file(self, write: Write) -> None:
        task = write("video,label,split\na.mp4,cat,train\nb.mp4,dog,train\n")
        assert Classification(**task.options()).answer.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header must name video and label .* got nothing"),
        ("film,label\n", "the header must name video .* got film, label"),
        ("video,label\n", "a header and no rows"),
        ("video,label\na.mp4\n", "line 2: it has another number of cells than the header"),
        ("video,label\na.mp4,cat,dog\n", "line 2: it has another number of cells than the header"),
        ("video,label\na.mp4,\n", "line 2: column 'label' is empty"),
        ("video,label,split\na.mp4,cat,dev\n", "line 2: column 'split' must be one of train, val, test, got 'dev'"),
        (
            "video,label,split,start\na.mp4,cat,train,1s\nb.mp4,dog,train,\n",
            "line 2: column 'start' must be a number",
        ),
        (
            "video,label,split,start,end\na.mp4,cat,train,3,2\nb.mp4,dog,train,,\n",
            "line 2: .* no span of time",
        ),
        ("video,label,split\na.mp4,cat,train\n", "the train split has one label, 'cat'"),
        ('video,label\na.mp4,"cat\n', "not CSV"),
    ],
)
def test_bad_input(write: Write, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s)my.csv.*{said}"):
        write(text).samples("train")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none.csv: no such file; set task.path to a CSV file"):
        Classification(path=tmp_path / "none.csv").splits()


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_bytes("video,label\nä.mp4,cat\n".encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"byte 0xE4 at offset 12 .* is not UTF-8. Candidates: cp1252 .then it reads 'ä.mp4,cat'"
    ):
        Classification(path=tmp_path / "my.csv").samples("train")


@pytest.mark.parametrize("rows", [53, 1])
def test_accuracy_and_recalls_are_scikit_learns(tmp_path: Path, rows: int) -> None:
    random = np.random.default_rng(rows)
    truth = [f"c{i}" for i in random.integers(0, 4, rows)]  # c3 is none of the classes
    lines = [f"{i}.mp4,{label},test\n" for i, label in enumerate(truth)]
    (tmp_path / "my.csv").write_text("video,label,split\n" + "".join(lines))
    task = Classification(path=tmp_path / "my.csv", labels=["c0", "c1", "c2"])
    samples = task.samples("test")
    output = torch.from_numpy(random.standard_normal((rows, 3)))
    predictions = dict(zip((s.id for s in samples), task.answer.predict(output), strict=True))
    found = [f"c{i}" for i in output.argmax(1).tolist()]
    report = task.answer.report(predictions, samples)
    assert report.value("accuracy") == pytest.approx(accuracy_score(truth, found))
    assert report.scores[-1].baseline == max(truth.count(label) for label in truth) / rows
    for label in set(truth):
        expected = recall_score(truth, found, labels=[label], average="macro", zero_division=0)
        assert report.value(f"recall/{label}") == pytest.approx(expected)
    assert bool(report.notes) == ("c3" in truth)


def test_labels_outside_the_vocabulary_are_no_loss() -> None:
    task = Classification(labels=["a", "b", "c"])
    output = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, OUTSIDE, 2, 1, OUTSIDE])
    naive = -sum(output[i].log_softmax(0)[t] for i, t in enumerate(target.tolist()) if t != OUTSIDE) / 3
    torch.testing.assert_close(task.answer.loss(output, target), naive)
    assert task.answer.loss(output[:1], target[1:2]) == 0
