"""Captions: the readers of MSR-VTT and VATEX, and the suite that every task must pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstta_tasks.task import Task
from lstta_tasks.tasks.captioning import PROMPT, Captioning
from lstta_tasks.testing import TaskConformance

CAPTIONS = {
    "video1": ["a guitar plays on the left", "a guitar is heard"],
    "video2": ["a man sings", "somebody sings a song"],
    "video3": ["two drums play", "drums are played by two men"],
    "video4": ["a piano is seen outdoors", "outdoors there is a piano"],
}
SPLITS = {"video1": "train", "video2": "train", "video3": "validate", "video4": "test"}


def rows(videos: list[str]) -> dict[str, Any]:
    return {
        "videos": [{"video_id": video, "split": SPLITS[video]} for video in videos],
        "sentences": [{"video_id": video, "caption": text} for video in videos for text in CAPTIONS[video]],
    }


@pytest.fixture
def msrvtt(tmp_path: Path) -> Path:
    (tmp_path / "MSRVTT_data.json").write_text(json.dumps(rows(list(SPLITS))), encoding="utf-8")
    return tmp_path


def parts(root: Path) -> None:
    for name, videos in (("train_val", ["video1", "video2", "video3"]), ("test", ["video4"])):
        (root / f"{name}_videodatainfo.json").write_text(json.dumps(rows(videos)), encoding="utf-8")


def vatex(root: Path) -> None:
    names = ("vatex_training_v1.0", "vatex_validation_v1.0", "vatex_public_test_english_v1.1")
    for name, videos in zip(names, (["video1", "video2"], ["video3"], ["video4"]), strict=True):
        content = [{"videoID": video, "enCap": CAPTIONS[video], "chCap": []} for video in videos]
        (root / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


class TestCaptioning(TaskConformance):
    root: Path

    @pytest.fixture(autouse=True)
    def _written(self, msrvtt: Path) -> None:
        self.root = msrvtt

    def make_task(self) -> Task:
        return Captioning(root=self.root, length=5)


@pytest.mark.parametrize("write", [parts, vatex])
def test_other_files_have_the_same_samples(msrvtt: Path, tmp_path: Path, write: Callable[[Path], None]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other)
    one, two = Captioning(root=msrvtt), Captioning(root=other)
    assert one.splits() == two.splits() == ["train", "val", "test"]
    for split in one.splits():
        assert [(s.id, s.text, s.answers) for s in one.samples(split)] == [
            (s.id, s.text, s.answers) for s in two.samples(split)
        ]


def test_captions_are_samples_in_training_and_clips_elsewhere(msrvtt: Path) -> None:
    task = Captioning(root=msrvtt)
    assert [(s.id, s.answers) for s in task.samples("train")][:2] == [
        ("video1#0", ("a guitar plays on the left",)),
        ("video1#1", ("a guitar is heard",)),
    ]
    (one,) = task.samples("test")
    assert (one.id, one.text, one.answers) == ("video4", PROMPT, tuple(CAPTIONS["video4"]))
    assert one.source.video == msrvtt / "videos/all/video4.mp4"


def test_questions_of_ones_own(msrvtt: Path) -> None:
    assert Captioning(root=msrvtt).question("").text == PROMPT
    assert Captioning(root=msrvtt).question("Who sings?").text == "Who sings?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows["videos"][0].update(split="dev"), r"video 0: field 'split' must be one of train, validate"),
        (lambda rows: rows["sentences"][0].update(caption=" "), r"sentence 0: field 'caption' must be a text"),
        (lambda rows: rows["videos"][0].update(video_id="../x"), r"leads out of the data set's folder"),
        (lambda rows: rows.update(sentences=rows["sentences"][2:]), r"no sentence has video_id 'video1'"),
        (lambda rows: rows.update(videos=[]), r"a list 'videos' that is not empty is wanted"),
    ],
)
def test_what_is_wrong_is_named(msrvtt: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    content = rows(list(SPLITS))
    change(content)
    (msrvtt / "MSRVTT_data.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        Captioning(root=msrvtt).samples("train")
    assert str(msrvtt / "MSRVTT_data.json") in str(error.value)


def test_without_files_and_without_the_library(tmp_path: Path, msrvtt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match=r"MSRVTT_data\.json is not there"):
        Captioning(root=empty).splits()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lstta-tasks\[captions\]'"):
        Captioning(root=msrvtt).samples("train")


def test_a_prompt_has_words() -> None:
    with pytest.raises(ValueError, match=r"task\.prompt is empty"):
        Captioning(prompt=" ")
