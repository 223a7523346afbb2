"""The template's task: its metric against scikit-learn's, its loss against a loop, its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from lstta_task_template.tags import Tags

HEADER = "video,split,text,tags\n"
ROWS = "a.mp4,train,what is heard,loud;bright\nb.mp4,train,,\nc.mp4,val,what is seen,bright;odd\n"


@pytest.fixture
def task(tmp_path: Path) -> Tags:
    (tmp_path / "tags.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return Tags(root=tmp_path)


def test_it_reads_its_rows(task: Tags) -> None:
    assert task.tags == ("bright", "loud")
    assert task.splits() == ["train", "val"]
    assert [(s.source.id, s.text, s.target) for s in task.samples("train")] == [
        ("a.mp4", "what is heard", 3),
        ("b.mp4", "", 0),
    ]
    assert [clip.id for clip in task.clips("val")] == ["c.mp4"]


def test_it_can_be_made_again_without_its_file(task: Tags) -> None:
    assert Tags(**task.options()).tags == task.tags


@pytest.mark.parametrize(
    ("row", "said"),
    [("a.mp4,dev,x,y\n", "split must be one of"), ("a.mp4,train\n", "there is no 'text'")],
)
def test_bad_rows(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "tags.csv").write_text(HEADER + row, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        Tags(root=tmp_path).samples("train")


def test_the_loss_is_that_of_a_loop() -> None:
    task = Tags(tags=["a", "b", "c"])
    output = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 1, 5, 6, 7])
    terms = []
    for logits, bits in zip(output, target.tolist(), strict=True):
        for i, logit in enumerate(logits):
            p = torch.sigmoid(logit)
            terms.append(-(p if bits >> i & 1 else 1 - p).log())
    torch.testing.assert_close(task.loss(output, target), torch.stack(terms).mean())


def test_f1_is_scikit_learns(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [f"{i}.mp4,train,x,{';'.join(t for t in 'abc' if random.random() < 0.4)}\n" for i in range(31)]
    (tmp_path / "tags.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    task = Tags(root=tmp_path, tags=["a", "b", "c"])
    samples = task.samples("train")
    output = torch.from_numpy(random.standard_normal((31, 3)))
    predictions = dict(zip((s.id for s in samples), task.predict(output), strict=True))
    truth = [[int(tag in s.labels) for tag in task.tags] for s in samples]
    found = (output > 0).int().tolist()
    score = task.report(predictions, samples).scores[0]
    assert score.value == pytest.approx(f1_score(truth, found, average="micro"))
    assert score.baseline == pytest.approx(f1_score(truth, np.ones_like(found), average="micro"))
