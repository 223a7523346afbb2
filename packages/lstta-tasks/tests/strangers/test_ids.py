"""Ids from strangers that lead out of the data set's folder."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from small_violin import make as make_violin

from lstta_tasks.annotations.files import check_inside
from lstta_tasks.cli.cache import main as cache_command
from lstta_tasks.task import Split, Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.avqa_options import AVQAOptions
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval
from lstta_tasks.tasks.sentiment import Sentiment
from lstta_tasks.training.checkpoints import last_checkpoint

OUTSIDE = ("../secret", "a/../../secret", "/etc/hostname", "..", "..\\secret", "C:\\secret", "c:secret")


def avqa(root: Path, name: str) -> Task:
    row = {
        **{"video_id": name, "question_id": 1, "type": '["Audio", "Counting"]', "question_content": "What?"},
        **{"templ_values": "[]", "anser": "yes"},
    }
    (root / "avqa-train.json").write_text(json.dumps([row]))
    return AVQA(root=root)


def avqa_options(root: Path, name: str) -> Task:
    row = {
        **{"id": 1, "video_name": name, "video_id": 1, "question_text": "What?", "question_relation": "Both"},
        **{"multi_choice": ["a", "b", "c", "d"], "answer": 0, "question_type": "What"},
    }
    (root / "train_qa.json").write_text(json.dumps([row]))
    return AVQAOptions(root=root)


def humor(root: Path, name: str) -> Task:
    said = {"punchline_sentence": "Ha.", "context_sentences": []}
    files = {"data_folds": {"train": [name]}, "language_sdk": {name: said}, "humor_label_sdk": {name: 1}}
    for file, content in files.items():
        (root / f"{file}.pkl").write_bytes(pickle.dumps(content))
    return Humor(root=root)


def sentiment(root: Path, name: str) -> Task:
    header = "video_id,clip_id,text,label,annotation,mode\n"
    (root / "label.csv").write_text(f"{header}{name},1,Good.,1.0,Positive,train\n")
    return Sentiment(root=root)


def sentiment_of_a_clip(root: Path, name: str) -> Task:
    header = "video_id,clip_id,text,label,annotation,mode\n"
    (root / "label.csv").write_text(f"{header}a,{name},Good.,1.0,Positive,train\n")
    return Sentiment(root=root)


def retrieval(root: Path, name: str) -> Task:
    (root / "MSRVTT_train.9k.csv").write_text(f"video_id\n{name}\n")
    (root / "MSRVTT_data.json").write_text(json.dumps({"sentences": [{"video_id": name, "caption": "A."}]}))
    return Retrieval(root=root)


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("make", [avqa, avqa_options, humor, sentiment, sentiment_of_a_clip, retrieval])
def test_no_clip_lies_outside(make: Callable[[Path, str], Task], name: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"x")
    splits: list[Split] = ["train", "val"] if make is avqa_options else ["train"]
    with pytest.raises(ValueError, match="leads out of the data set's folder") as refused:
        make(root, name).sources(splits)
    assert str(root) in str(refused.value)
    assert make(root, "inside").sources(splits)


@pytest.mark.parametrize("field", ["file", "source"])
def test_violins_files(field: str, tmp_path: Path) -> None:
    root = make_violin(tmp_path).root
    path = root / "violin_annotation.json"
    content = json.loads(path.read_text())
    next(iter(content.values()))[field] = "../secret"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"field '{field}' leads out of the data set's folder, got '../secret'"):
        Inference(root=root).splits()


@pytest.mark.parametrize("name", ["a", "a/b", "a..b", "...", "-x", "dia0_utt1", "a\\b", "ab:c", "00:03"])
def test_names_that_stay(name: str) -> None:
    assert check_inside(name, "video_id", "here") == name


@pytest.mark.parametrize(
    "name", ["../other/epoch_1.pth", "/tmp/epoch_1.pth", "", "epoch_1.pth\nx", "x" * 4000, "a/b.pth"]
)
def test_the_last_checkpoint_is_in_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "last_checkpoint").write_text(name)
    with pytest.raises(ValueError, match="last_checkpoint: the name of a file beside it is wanted"):
        last_checkpoint(tmp_path)


def test_a_clip_is_exported_into_this_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lstta_tasks.data.cache.open_cache", lambda path: type("R", (), {"meta": RATE})())
    with pytest.raises(ValueError, match=r"the id '../x' leads out of this folder: say with --out where to"):
        cache_command(["export", "cache", "../x"])


RATE = {"preprocessing": {"sample_rate": 8000}}
