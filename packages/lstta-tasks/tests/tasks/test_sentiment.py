"""MOSI's label.csv and MMSA's pickles: fields, places of clips, mistakes by row and field; loss and report."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample
from lstta_tasks.tasks.sentiment import Sentiment

HEADER = "video_id,clip_id,text,label,annotation,mode\n"
ROWS = (
    '03bSnISJMiM,1,"It was, anyhow, good 🙂",2.4,Positive,train\n'
    "03bSnISJMiM,2,,-0.8,Negative,train\n"
    "-THoVjtIkeU,1,מצוין,0.0,Neutral,valid\n"
)
Write = Callable[..., Sentiment]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(rows: str, header: str = HEADER) -> Sentiment:
        (tmp_path / "label.csv").write_text(header + rows, encoding="utf-8")
        return Sentiment(root=tmp_path)

    return make


class TestCSV:
    def test_all_fields(self, write: Write, tmp_path: Path) -> None:
        task = write(ROWS)
        first = ClipSource("03bSnISJMiM/1", tmp_path / "Raw" / "03bSnISJMiM" / "1.mp4")
        second = ClipSource("03bSnISJMiM/2", tmp_path / "Raw" / "03bSnISJMiM" / "2.mp4")
        assert task.samples("train") == [
            Sample("03bSnISJMiM/1", first, "It was, anyhow, good 🙂", 2.4),
            Sample("03bSnISJMiM/2", second, None, -0.8),
        ]
        assert task.clips("train") == [first, second]
        assert [sample.text for sample in task.samples("val")] == ["מצוין"]
        assert task.splits() == ["train", "val"]

    def test_further_columns_in_any_order(self, write: Write) -> None:
        header = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"
        assert write("a,0001,yes,1,,,,Positive,test\n", header).samples("test")[0].id == "a/0001"

    @pytest.mark.parametrize("folder", ["Raw", "raw", "."])
    def test_where_a_clip_may_be(self, write: Write, tmp_path: Path, folder: str) -> None:
        (tmp_path / folder / "03bSnISJMiM").mkdir(parents=True)
        (tmp_path / folder / "03bSnISJMiM" / "1.mp4").touch()
        assert write(ROWS).clips("train")[0].video == tmp_path / folder / "03bSnISJMiM" / "1.mp4"

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("a,1,x,3.1,P,train", r"field 'label' must be a number from -3 to 3, got '3.1'"),
            ("a,1,x,nan,P,train", r"field 'label' must be a number from -3 to 3, got 'nan'"),
            ("a,1,x,,P,train", r"field 'label' must be a number from -3 to 3, got ''"),
            ("a,1,x,1,P,dev", r"field 'mode' must be one of train, valid, test, got 'dev'"),
            (",1,x,1,P,train", r"field 'video_id' is empty"),
            ("a,,x,1,P,train", r"field 'clip_id' is empty"),
            ("a,1,x,1,P", r"it has another number of cells"),
            ("03bSnISJMiM,2,x,1,P,test", r"video '03bSnISJMiM' has clip '2' already, in .*label.csv, line 3"),
        ],
    )
    def test_mistakes_are_named_by_line_and_field(self, write: Write, row: str, said: str) -> None:
        with pytest.raises(ValueError, match=rf"label.csv, line 5: {said}"):
            write(f"{ROWS}{row}\n").samples("train")

    def test_a_split_that_is_not_there(self, write: Write) -> None:
        with pytest.raises(FileNotFoundError, match=r"label.csv: no clip has mode 'test'"):
            write(ROWS).samples("test")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"label.csv is not there; set task.root"):
            Sentiment(root=tmp_path).splits()
        with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
            Sentiment(root=tmp_path / "nowhere").splits()
        with pytest.raises(ValueError, match=r"sentiment has no root"):
            Sentiment().splits()


def mode(names: list[str], **changes: Any) -> dict[str, Any]:
    """One split of MMSA's pickle, with features whose silence is −inf."""
    count = len(names)
    return {
        "raw_text": np.array([f"words of {name}" for name in names]),
        "audio": np.full((count, 4, 5), -np.inf),
        "vision": np.zeros((count, 4, 20)),
        "id": names,
        "text_bert": np.zeros((count, 3, 4)),
        "annotations": np.array(["Positive"] * count),
        "classification_labels": np.zeros(count),
        "regression_labels": np.linspace(-3, 3, count, dtype=np.float32),
        **changes,
    }


class TestPickle:
    def write(self, root: Path, content: Any) -> Sentiment:
        (root / "Processed").mkdir()
        (root / "Processed" / "unaligned_50.pkl").write_bytes(pickle.dumps(content))
        return Sentiment(root=root, annotations="Processed/unaligned_50.pkl")

    def test_texts_ids_and_labels_are_read(self, tmp_path: Path) -> None:
        content = {"train": mode(["a$_$1", "a$_$2", "b_$c$_$10"]), "valid": mode(["d$_$1"]), "test": mode(["e$_$1"])}
        task = self.write(tmp_path, content)
        assert task.splits() == ["train", "val", "test"]
        assert [(s.id, s.text, s.target) for s in task.samples("train")] == [
            ("a/1", "words of a$_$1", -3.0),
            ("a/2", "words of a$_$2", 0.0),
            ("b_$c/10", "words of b_$c$_$10", 3.0),
        ]
        assert task.clips("val") == [ClipSource("d/1", tmp_path / "Raw" / "d" / "1.mp4")]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ([1], "an object with train, valid, test is wanted, got list"),
            ({"train": [1]}, "train: id, raw_text, regression_labels are wanted"),
            ({"train": mode(["a1"])}, r"train, row 0: field 'id' must be VIDEO\$_\$CLIP, got 'a1'"),
            ({"train": mode(["a$_$1"], raw_text=[])}, "train: 1 of id, 0 of raw_text and 1 of regression_labels"),
            ({"train": mode(["a$_$1"], regression_labels=[np.nan])}, "row 0: field 'regression_labels' must be"),
            ({"train": mode(["a$_$1", "a$_$1"])}, "row 1: video 'a' has clip '1' already"),
        ],
    )
    def test_mistakes_are_named(self, tmp_path: Path, content: Any, said: str) -> None:
        with pytest.raises(ValueError, match=rf"unaligned_50.pkl.*{said}"):
            self.write(tmp_path, content).samples("train")

    def test_one_that_would_run_something_is_refused(self, tmp_path: Path) -> None:
        class Bad:
            def __reduce__(self) -> tuple[Any, ...]:
                return os.system, (f"touch '{tmp_path / 'canary'}'",)

        with pytest.raises(ValueError, match=r"unaligned_50.pkl.*system; refused, and nothing was run"):
            self.write(tmp_path, {"train": mode(["a$_$1"], vision=Bad())}).samples("train")
        assert not (tmp_path / "canary").exists()

    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        (tmp_path / "label.xlsx").touch()
        with pytest.raises(ValueError, match=r"task.annotations: a .csv or .pkl file is wanted, got 'label.xlsx'"):
            Sentiment(root=tmp_path, annotations="label.xlsx").splits()


@pytest.mark.parametrize("name", ["l1", "smooth_l1"])
def test_the_loss_is_the_naive_one_with_gradients(name: Any) -> None:
    task = Sentiment(loss=name)
    output = torch.randn(7, 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.linspace(-3, 3, 7)
    errors = [abs(output[i, 0] - t) for i, t in enumerate(target.tolist())]
    naive = sum(errors) / 7 if name == "l1" else sum(e - 0.5 if e >= 1 else e * e / 2 for e in errors) / 7
    torch.testing.assert_close(task.answer.loss(output, target), naive)
    assert torch.autograd.grad(task.answer.loss(output, target), output)[0].abs().min() > 0
    assert Sentiment(**task.options()).options() == {"loss": name}


def test_an_unknown_loss() -> None:
    with pytest.raises(ValueError, match=r"task.loss must be 'l1' or 'smooth_l1', got 'l2'"):
        Sentiment(loss="l2")  # type: ignore[arg-type]


class TestReport:
    def test_it_is_keyed_by_id_and_of_those_that_were_answered(self) -> None:
        source = ClipSource("a", Path("a.mp4"))
        samples = [Sample(str(i), source, "x", target) for i, target in enumerate([1.0, -2.0, 0.5, 3.0])]
        report = Sentiment().answer.report({"3": {"score": 2.0}, "1": {"score": -2.0}}, samples)
        assert report.primary == "mae"
        assert report.value("mae") == 0.5
        assert report.merit == -0.5
        assert {score.count for score in report.scores} == {2}

    def test_nan_is_refused_by_the_samples_id(self) -> None:
        samples = [Sample("a/7", ClipSource("a", Path("a.mp4")), "x", 1.0)]
        predictions = dict(zip(["a/7"], Sentiment().answer.predict(torch.tensor([[float("nan")]])), strict=True))
        with pytest.raises(ValueError, match=r"sample a/7: the predicted score is nan"):
            Sentiment().answer.report(predictions, samples)
        with pytest.raises(ValueError, match="none of the 1 samples has a prediction"):
            Sentiment().answer.report({}, samples)
