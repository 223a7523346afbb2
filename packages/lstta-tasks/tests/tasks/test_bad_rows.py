"""Every task: bad rows are named all at once, or left out and counted; its files in the encoding that is named."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstta_tasks.task import Task
from lstta_tasks.tasks.ave import AVE
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.avqa_options import AVQAOptions
from lstta_tasks.tasks.avvp import AVVP
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval
from lstta_tasks.tasks.sentiment import Sentiment

Write = Callable[[Path], dict[str, Any]]
"""Writes a data set with two good rows of train and two bad ones, and returns where it is as the task wants it."""


def classification(folder: Path) -> dict[str, Any]:
    rows = ["a.mp4,bell,0,10,train", "b.mp4,bark,0,0,train", "c.mp4,bark,3,3,train", "d.mp4,flute,2,8,train"]
    (folder / "my.csv").write_text("\n".join(["video,label,start,end,split", *rows]))
    return {"path": folder / "my.csv"}


def sentiment(folder: Path) -> dict[str, Any]:
    rows = ["v,1,fine,1,train", "v,2,bad,9,train", "v,1,again,1,train", "v,3,good,-1,train"]
    (folder / "label.csv").write_text("\n".join(["video_id,clip_id,text,label,mode", *rows]))
    return {"root": folder}


def sentiment_pickle(folder: Path) -> dict[str, Any]:
    content = {
        "id": ["v$_$1", "v", "v$_$2", "v$_$3"],
        "raw_text": ["a", "b", "c", "d"],
        "regression_labels": [1, 1, float("nan"), -1],
    }
    (folder / "mosi.pkl").write_bytes(pickle.dumps({"train": content}))
    return {"root": folder, "annotations": "mosi.pkl"}


def emotion(folder: Path) -> dict[str, Any]:
    rows = ["Hi,Ana,joy,0,0", "Hi,Ana,happy,0,1", "Hi,Ana,joy,x,2", "Hi,Bo,fear,0,3"]
    (folder / "train_sent_emo.csv").write_text("\n".join(["utterance,speaker,emotion,dialogue_id,utterance_id", *rows]))
    return {"root": folder}


def humor(folder: Path) -> dict[str, Any]:
    entry = {"punchline_sentence": "ha", "context_sentences": []}
    for name, content in {
        "data_folds": {"train": [1, 2, 3, 4]},
        "language_sdk": {1: entry, 2: {}, 3: entry, 4: entry},
        "humor_label_sdk": {1: 1, 2: 0, 3: 7, 4: 0},
    }.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(content))
    return {"root": folder}


def avqa(folder: Path) -> dict[str, Any]:
    good = {
        "video_id": "a",
        "question_id": 1,
        "type": '["Audio", "Counting"]',
        "question_content": "How many <Object>?",
        "templ_values": '["drums"]',
        "anser": "two",
    }
    deep = {"type": "[" * 10_000}
    rows = [good, {**good, "templ_values": "[]"}, {**good, **deep}, {**good, "question_id": 2, "anser": "one"}]
    (folder / "avqa-train.json").write_text(json.dumps(rows))
    return {"root": folder}


def avqa_options(folder: Path) -> dict[str, Any]:
    good = {
        "id": 1,
        "video_name": "b",
        "question_text": "What?",
        "multi_choice": list("abcd"),
        "answer": 0,
        "question_relation": "View",
        "question_type": "What",
    }
    rows = [good, {**good, "answer": 4}, {**good, "multi_choice": ["a"]}, {**good, "id": 2}]
    (folder / "train_qa.json").write_text(json.dumps(rows))
    return {"root": folder}


def inference(folder: Path) -> dict[str, Any]:
    good = {
        "file": "a",
        "source": "b",
        "split": "train",
        "span": [0, 3],
        "statement": [["yes", "no"]],
        "sub": [["hi", [0, 900]]],
    }
    clips = {"1": good, "2": {**good, "sub": [["hi", [900, 0]]]}, "3": {**good, "span": [0, 1e400]}, "4": good}
    text = json.dumps(clips).replace("Infinity", "1e400")
    (folder / "violin_annotation.json").write_text(text)
    return {"root": folder}


def retrieval(folder: Path) -> dict[str, Any]:
    sentences = [{"video_id": f"video{i}", "caption": "a song"} for i in range(2)]
    (folder / "MSRVTT_data.json").write_text(json.dumps({"sentences": [*sentences, 3, {"video_id": "video0"}]}))
    (folder / "MSRVTT_train.9k.csv").write_text("video_id\nvideo0\nvideo1\n")
    (folder / "MSRVTT_val.csv").write_text("video_id\nvideo9\n")
    return {"root": folder}


def ave(folder: Path) -> dict[str, Any]:
    rows = ["Bark&a&good&0&10", "Bark&b&good&0&0", "Dog&c&good&0&10", "Truck&d&good&2&8"]
    (folder / "trainSet.txt").write_text("\n".join(rows))
    return {"root": folder}


def avvp(folder: Path) -> dict[str, Any]:
    rows = ["a_0_10\tSpeech,Dog", "b_0_10\tSpeech,Wolf", "\tDog", "d_0_10\tCar"]
    (folder / "AVVP_train.csv").write_text("\n".join(["filename\tevent_labels", *rows]))
    return {"root": folder}


CASES: dict[str, tuple[type[Task], Write]] = {
    "classification": (Classification, classification),
    "sentiment": (Sentiment, sentiment),
    "sentiment, pickle": (Sentiment, sentiment_pickle),
    "emotion": (Emotion, emotion),
    "humor": (Humor, humor),
    "avqa": (AVQA, avqa),
    "avqa-options": (AVQAOptions, avqa_options),
    "ave": (AVE, ave),
    "avvp": (AVVP, avvp),
    "inference": (Inference, inference),
    "retrieval": (Retrieval, retrieval),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_rows_are_named_at_once_or_left_out(case: str, tmp_path: Path) -> None:
    task, write = CASES[case]
    options = write(tmp_path)
    with pytest.raises(ValueError, match=r"2 of 4 rows are bad; .*task.skip_bad_rows=True") as error:
        task(**options).samples("train")
    assert len(str(error.value).split("\n")) == 3
    lenient = task(**options, skip_bad_rows=True)
    samples = lenient.samples("train")
    assert len(samples) == {"inference": 4}.get(case, 2)
    assert {sample.source.id for sample in samples} == {clip.id for clip in lenient.clips("train")}
    assert lenient.reading is not None
    assert sum(lenient.reading.left_out.values()) == 2
    assert lenient.reading.notes
    assert not {"encoding", "skip_bad_rows"} & set(lenient.options())


TEXTS: dict[str, tuple[type[Task], str, str, dict[str, Any]]] = {
    "classification": (Classification, "my.csv", "video,label,text,split\na.mp4,x,Café,train\nb.mp4,y,z,train\n", {}),
    "sentiment": (Sentiment, "label.csv", "video_id,clip_id,text,label,mode\nv,1,Café,1,train\n", {}),
    "emotion": (
        Emotion,
        "train_sent_emo.csv",
        "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID\nCafé,Ana,joy,0,0\n",
        {"context": 0},
    ),
    "retrieval": (Retrieval, "MSRVTT_JSFUSION_test.csv", "key,video_id,sentence\nret0,video1,Café\n", {}),
    "ave": (AVE, "trainSet.txt", "Bark&Café&good&0&3\n", {}),
    "avvp": (AVVP, "AVVP_train.csv", "filename\tevent_labels\nCafé\tDog\n", {}),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp437"])
@pytest.mark.parametrize("case", TEXTS)
def test_csv_files_as_they_were_written(case: str, encoding: str, tmp_path: Path) -> None:
    task, file, content, options = TEXTS[case]
    (tmp_path / file).write_bytes(content.encode(encoding))
    where = {"path": tmp_path / file} if task is Classification else {"root": tmp_path}
    split: Any = "test" if task is Retrieval else "train"
    named = {} if encoding.startswith("utf") else {"encoding": encoding}
    sample = task(**where, **options, **named).samples(split)[0]
    text = sample.id if sample.text is None else sample.text
    assert text.removeprefix("Ana: ") == "Café"
    if named and task is not Emotion:
        with pytest.raises(ValueError, match=rf"{file}: byte 0x.. at offset \d+ .* is not UTF-8.*task.encoding="):
            task(**where, **options).samples(split)
