"""VIOLIN's files: fields, times, pairs; the metric against scikit-learn's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, recall_score

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, TimedText
from lstta_tasks.tasks.inference import Inference

Write = Callable[[dict[str, Any]], Inference]


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "file": "film_a",
        "source": "abcdefghijk",
        "span": [10, 45],
        "statement": [["It rains.", "It snows."], ["She sings.", "She shouts."], ["He left.", "He came."]],
        "sub": [["It is raining!", [500, 1750]], ["Again.", [30000, 31000]]],
        "split": "train",
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(clips: dict[str, Any], **options: Any) -> Inference:
        (tmp_path / "violin_annotation.json").write_text(json.dumps(clips), encoding="utf-8")
        return Inference(root=tmp_path, **options)

    return make


class TestReading:
    def test_each_pair_is_two_samples(self, write: Write) -> None:
        task = write({"a": entry(), "b": entry(split="validate")})
        samples = task.samples("train")
        assert [s.id for s in samples] == ["a/0/real", "a/0/fake", "a/1/real", "a/1/fake", "a/2/real", "a/2/fake"]
        assert [s.target for s in samples] == [1, 0] * 3
        assert [s.text for s in samples][:2] == ["It rains.", "It snows."]
        assert {s.source.id for s in samples} == {"a"}
        assert task.splits() == ["train", "val"]
        assert [clip.id for clip in task.clips("val")] == ["b"]

    def test_subtitles_are_in_seconds_of_the_clip(self, write: Write) -> None:
        (first, *_) = write({"a": entry()}).samples("train")
        assert first.timed == (TimedText(0.5, 1.75, "It is raining!"), TimedText(30.0, 31.0, "Again."))

    def test_or_of_the_video_that_it_is_cut_from(self, write: Write) -> None:
        lines = [["It is raining!", [10500, 11750]]]
        (first, *_) = write({"a": entry(sub=lines)}, subtitle_clock="source").samples("train")
        assert first.timed == (TimedText(0.5, 1.75, "It is raining!"),)

    @pytest.mark.parametrize("place", ["film_a.mp4", "videos/film_a.mp4", "violin_videos/film_a.mp4"])
    def test_where_a_clip_may_be(self, write: Write, tmp_path: Path, place: str) -> None:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
        assert write({"a": entry()}).clips("train") == [ClipSource("a", tmp_path / place)]

    def test_a_clip_that_is_a_span_of_its_source(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "abcdefghijk.mp4").touch()
        (clip,) = write({"a": entry()}).clips("train")
        assert (clip.video, clip.start, clip.end) == (tmp_path / "abcdefghijk.mp4", 10.0, 45.0)

    def test_a_clip_that_is_nowhere(self, write: Write, tmp_path: Path) -> None:
        assert write({"a": entry()}).clips("train") == [ClipSource("a", tmp_path / "videos" / "film_a.mp4")]


class TestBadInput:
    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("file", "", "is empty"),
            ("source", None, "must be of type str, got None"),
            ("split", "dev", "must be one of train, validate, test, got 'dev'"),
            ("span", [1], r"must be \[start, end\] in seconds, got \[1\]"),
            ("statement", [["only one"]], r"must be a list of \[real, fake\] pairs of texts"),
            ("sub", [["text", 5]], r"must be a list of \[text, \[start, end\]\], in milliseconds"),
            ("sub", [["text", [5, True]]], "must be a list of .* in milliseconds"),
        ],
    )
    def test_a_wrong_field(self, write: Write, field: str, value: Any, said: str) -> None:
        with pytest.raises(ValueError, match=rf"violin_annotation.json, clip 'a': field '{field}' {said}"):
            write({"a": entry(**{field: value})}).samples("train")

    def test_a_subtitle_that_ends_before_it_starts(self, write: Write) -> None:
        with pytest.raises(ValueError, match="clip 'a': subtitle 0 ends at 5 ms, before its start at 9 ms"):
            write({"a": entry(sub=[["x", [9, 5]]])}).samples("train")

    @pytest.mark.parametrize(
        ("content", "said"), [("{", "not JSON"), ("[]", "an object of clips by id is wanted"), ('{"a": 3}', "got int")]
    )
    def test_a_wrong_file(self, tmp_path: Path, content: str, said: str) -> None:
        (tmp_path / "violin_annotation.json").write_text(content)
        with pytest.raises(ValueError, match=f"violin_annotation.json.*{said}"):
            Inference(root=tmp_path).samples("train")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"violin_annotation.json is not there; set task.root"):
            Inference(root=tmp_path).splits()

    def test_no_folder(self) -> None:
        with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
            Inference(root="nowhere").splits()

    def test_a_split_without_clips(self, write: Write) -> None:
        with pytest.raises(ValueError, match="no clip has split 'test'"):
            write({"a": entry()}).samples("test")

    def test_an_unknown_clock(self) -> None:
        with pytest.raises(ValueError, match=r"task.subtitle_clock must be 'clip' or 'source', got 'film'"):
            Inference(subtitle_clock="film")  # type: ignore[arg-type]


def statements(targets: list[int]) -> list[Sample]:
    source = ClipSource("a", Path("a.mp4"))
    return [
        Sample(str(i), source, "x", target, labels=("real" if target else "fake",)) for i, target in enumerate(targets)
    ]


@pytest.mark.parametrize(
    "targets",
    [np.random.default_rng(0).integers(0, 2, 53).tolist(), [1], [0, 0, 0], [1, 0]],
    ids=["random", "one sample", "one class", "a pair"],
)
def test_accuracies_are_scikit_learns(targets: list[int]) -> None:
    task = Inference()
    output = torch.randn(len(targets), 1, generator=torch.Generator().manual_seed(1))
    samples = statements(targets)
    predictions = dict(zip((s.id for s in samples), task.answer.predict(output), strict=True))
    report = task.answer.report(predictions, samples)
    found = (output[:, 0] >= 0).int().tolist()
    assert report.value("accuracy") == pytest.approx(accuracy_score(targets, found))
    for name, target in (("real", 1), ("fake", 0)):
        if target in targets:
            expected = recall_score(targets, found, pos_label=target, zero_division=0)
            assert report.value(name) == pytest.approx(expected)
        else:
            assert name not in {score.name for score in report.scores}
    assert report.scores[-1].baseline == max(np.mean(targets), 1 - np.mean(targets))


def test_half_is_real() -> None:
    assert Inference().answer.predict(torch.zeros(1, 1)) == [{"real": True, "probability": 0.5}]


def test_the_loss_is_binary_cross_entropy_with_gradients() -> None:
    task = Inference()
    output = torch.randn(7, 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    p = output[:, 0].sigmoid()
    naive = -sum((p[i] if t else 1 - p[i]).log() for i, t in enumerate(target.tolist())) / 7
    torch.testing.assert_close(task.answer.loss(output, target), naive)
    assert torch.autograd.grad(task.answer.loss(output, target), output)[0].abs().min() > 0
    assert F.binary_cross_entropy(p, target.float()).item() == pytest.approx(task.answer.loss(output, target).item())
