"""UR-FUNNY's pickles: folds, texts, labels; refused ones; the loss and the metrics."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample
from lstta_tasks.tasks.humor import Humor

FOLDS = {"train": [11, 7], "dev": [3], "test": []}
LANGUAGE = {
    11: {
        "punchline_sentence": "and it was a duck 🙂",
        "context_sentences": ["first one", " second ", "third"],
        "punchline_intervals": [[1.0, 1.5]],
        "context_intervals": [[[0.0, 0.5]]],
        "punchline_features": [],
    },
    7: {"punchline_sentence": "לא", "context_sentences": []},
    3: {"punchline_sentence": " ".join(["word"] * 200), "context_sentences": ["x"]},
}
LABELS = {11: 1, 7: 0, 3: 1}
Write = Callable[..., Humor]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(
        folds: Any = FOLDS, language: Any = LANGUAGE, labels: Any = LABELS, folder: str = ".", **options: Any
    ) -> Humor:
        (tmp_path / folder).mkdir(exist_ok=True)
        for name, content in (("data_folds", folds), ("language_sdk", language), ("humor_label_sdk", labels)):
            (tmp_path / folder / f"{name}.pkl").write_bytes(pickle.dumps(content))
        return Humor(root=tmp_path, **options)

    return make


class TestReading:
    @pytest.mark.parametrize("folder", [".", "sdk_features"])
    def test_all_fields(self, write: Write, tmp_path: Path, folder: str) -> None:
        task = write(folder=folder)
        videos = tmp_path / "urfunny2_videos"
        assert task.samples("train") == [
            Sample("11", ClipSource("11", videos / "11.mp4"), "and it was a duck 🙂 first one second third", 1),
            Sample("7", ClipSource("7", videos / "7.mp4"), "לא", 0),
        ]
        assert task.clips("val") == [ClipSource("3", videos / "3.mp4")]
        assert task.splits() == ["train", "val"]

    @pytest.mark.parametrize(
        ("context", "text"),
        [
            (0, "and it was a duck 🙂"),
            (1, "and it was a duck 🙂 third"),
            (2, "and it was a duck 🙂 second third"),
            (5, "and it was a duck 🙂 first one second third"),
        ],
    )
    def test_the_nearest_sentences_of_the_context(self, write: Write, context: int, text: str) -> None:
        task = write(context=context)
        assert task.samples("train")[0].text == text
        assert Humor(**task.options()).context == context

    @pytest.mark.parametrize("folder", ["urfunny2_videos", "videos", "."])
    def test_where_a_clip_may_be(self, write: Write, tmp_path: Path, folder: str) -> None:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "11.mp4").touch()
        assert write().clips("train")[0].video == tmp_path / folder / "11.mp4"

    def test_labels_and_ids_that_are_numpys(self, write: Write) -> None:
        folds = {"train": np.array([11, 7]), "dev": [np.int64(3)]}
        task = write(folds=folds, labels={11: np.int64(1), 7: np.float32(0), 3: np.array([1])})
        assert [(type(s.target), s.target) for s in task.samples("train")] == [(int, 1), (int, 0)]
        assert (task.samples("val")[0].id, task.samples("val")[0].target) == ("3", 1)


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"folds": [1]}, "data_folds.pkl: an object is wanted, got list"),
            ({"folds": {"train": 3}}, "data_folds.pkl, train: a list of ids is wanted, got int"),
            ({"folds": {"train": [(1,)]}}, r"data_folds.pkl, train, entry 0: ids must be numbers or texts, got \(1,\)"),
            (
                {"folds": {"train": [7, 11], "test": [7]}},
                "data_folds.pkl, test, entry 0: id 7 is there already, in .*data_folds.pkl, train, entry 0",
            ),
            ({"language": {7: LANGUAGE[7]}}, "language_sdk.pkl, id 11: an object is wanted, got NoneType"),
            (
                {"language": {11: {}}},
                "language_sdk.pkl, id 11: field 'punchline_sentence' must be of type str, got None",
            ),
            (
                {"language": {11: {"punchline_sentence": "x", "context_sentences": "y"}}},
                "language_sdk.pkl, id 11: field 'context_sentences' must be of type list, got 'y'",
            ),
            (
                {"language": {11: {"punchline_sentence": "x", "context_sentences": [3]}}},
                r"language_sdk.pkl, id 11: field 'context_sentences' must be a list of texts, got \[3\]",
            ),
            ({"labels": {11: 2, 7: 0}}, "humor_label_sdk.pkl, id 11: 0 or 1 is wanted, got 2"),
            ({"labels": {11: np.ones(2), 7: 0}}, "humor_label_sdk.pkl, id 11: 0 or 1 is wanted, got "),
            ({"labels": {7: 0}}, "humor_label_sdk.pkl, id 11: 0 or 1 is wanted, got None"),
        ],
    )
    def test_file_id_and_field_are_named(self, write: Write, changes: dict[str, Any], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            write(**changes).samples("train")

    def test_what_is_not_there(self, write: Write, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"neither .*data_folds.pkl nor .*sdk_features.*is there"):
            Humor(root=tmp_path).splits()
        with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
            Humor(root=tmp_path / "nowhere").splits()
        with pytest.raises(FileNotFoundError, match=r"data_folds.pkl: no clip is in 'test'"):
            write().samples("test")
        with pytest.raises(ValueError, match="humor has no root"):
            Humor().splits()
        with pytest.raises(ValueError, match=r"task.context must be 0 or more sentences, or None for all, got -2"):
            Humor(context=-2)

    @pytest.mark.parametrize("file", ["data_folds", "language_sdk", "humor_label_sdk"])
    def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(
        self, write: Write, tmp_path: Path, file: str
    ) -> None:
        class Bad:
            def __reduce__(self) -> tuple[Any, ...]:
                return os.system, (f"touch '{tmp_path / 'canary'}'",)

        task = write()
        path = tmp_path / f"{file}.pkl"
        path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), "more": Bad()}))
        with pytest.raises(ValueError, match=rf"{file}.pkl.*system; refused, and nothing was run"):
            task.samples("train")
        assert not (tmp_path / "canary").exists()


def jokes(targets: list[int]) -> list[Sample]:
    return [Sample(str(i), ClipSource("a", Path("a.mp4")), "x", target) for i, target in enumerate(targets)]


@pytest.mark.parametrize(
    "targets",
    [np.random.default_rng(0).integers(0, 2, 53).tolist(), [1], [0], [0, 0, 0], [1, 1], [1, 0]],
    ids=["random", "one funny", "one not", "none funny", "all funny", "a tie"],
)
@pytest.mark.parametrize("shift", [-9.0, 0.0, 9.0], ids=["never", "random", "always"])
def test_the_metrics_are_scikit_learns(targets: list[int], shift: float) -> None:
    task, samples = Humor(), jokes(targets)
    output = torch.randn(len(targets), 1, generator=torch.Generator().manual_seed(1)) + shift
    predictions = dict(zip((s.id for s in samples), task.answer.predict(output), strict=True))
    found = (output[:, 0] >= 0).int().tolist()
    report = task.answer.report(predictions, samples)
    assert report.primary == "accuracy"
    assert report.value("accuracy") == pytest.approx(accuracy_score(targets, found))
    assert report.value("f1") == pytest.approx(f1_score(targets, found, zero_division=0))
    by_name = {score.name: score for score in report.scores}
    assert by_name["accuracy"].baseline == max(np.mean(targets), 1 - np.mean(targets))
    assert by_name["f1"].baseline == pytest.approx(f1_score(targets, [1] * len(targets), zero_division=0))


def test_nan_is_refused() -> None:
    predictions = {"0": Humor().answer.predict(torch.tensor([[float("nan")]]))[0]}
    with pytest.raises(ValueError, match=r"sample 0: the predicted probability is nan"):
        Humor().answer.report(predictions, jokes([1]))


def test_the_loss_is_binary_cross_entropy_with_gradients() -> None:
    task = Humor()
    output = torch.randn(7, 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    p = output[:, 0].sigmoid()
    naive = -sum((p[i] if t else 1 - p[i]).log() for i, t in enumerate(target.tolist())) / 7
    torch.testing.assert_close(task.answer.loss(output, target), naive)
    assert torch.autograd.grad(task.answer.loss(output, target), output)[0].abs().min() > 0
