"""The template's task: what every task must keep, and what only this one knows, its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_task_template.tags import Tags
from lstta_tasks.testing import TaskConformance

HEADER = "video,split,text,tags\n"
ROWS = "a.mp4,train,what is heard,loud;bright\nb.mp4,train,,\nc.mp4,val,what is seen,bright;odd\n"


def written(folder: Path, rows: str) -> Tags:
    (folder / "tags.csv").write_text(HEADER + rows, encoding="utf-8")
    return Tags(root=folder)


class TestTags(TaskConformance):
    @pytest.fixture(autouse=True)
    def data(self, tmp_path: Path) -> None:
        self.root = tmp_path

    def make_task(self) -> Tags:
        return written(self.root, ROWS)


def test_it_reads_its_rows(tmp_path: Path) -> None:
    task = written(tmp_path, ROWS)
    assert task.answer.labels == ("bright", "loud")
    assert task.splits() == ["train", "val"]
    assert [(s.source.id, s.text, s.target) for s in task.samples("train")] == [
        ("a.mp4", "what is heard", (1, 1)),
        ("b.mp4", None, (0, 0)),
    ]
    assert [clip.id for clip in task.clips("val")] == ["c.mp4"]


def test_a_tag_that_train_lacks_counts_as_missed(tmp_path: Path) -> None:
    task = written(tmp_path, ROWS)
    (sample,) = task.samples("val")
    assert (sample.target, sample.labels) == ((1, 0), ("bright", "odd"))
    assert task.answer.report({sample.id: {"tags": ["bright"]}}, [sample]).value("F1") == 2 / 3


@pytest.mark.parametrize(
    ("row", "said"),
    [("a.mp4,dev,x,y\n", "line 2: split must be one of"), ("a.mp4,train\n", "line 2: it has another number of cells")],
)
def test_bad_rows(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        written(tmp_path, row).samples("train")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tags.csv is not there; set task.root"):
        Tags(root=tmp_path).splits()


def test_bad_rows_are_left_out_where_somebody_says_so(tmp_path: Path) -> None:
    written(tmp_path, ROWS + "a.mp4,dev,x,y\n")
    task = Tags(root=tmp_path, skip_bad_rows=True)
    assert len(task.samples("train")) == 2
    assert list(task.reading.left_out.values()) == [1]
