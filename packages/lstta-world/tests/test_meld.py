"""MELD's files; and that no modality alone tells the emotion, and what was said before helps."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from lstta_world import talk_truth
from lstta_world.emotions import EMOTIONS, news_of
from lstta_world.generate import generate
from lstta_world.meld import HEADER, Utterance, clock, plan, texts
from lstta_world.remarks import news
from lstta_world.splits import Split

SIZES = {"train": 7, "val": 2, "test": 3}
FILES = {
    "train": ("train_sent_emo.csv", "train_splits"),
    "val": ("dev_sent_emo.csv", "dev_splits_complete"),
    "test": ("test_sent_emo.csv", "output_repeated_splits_test"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "emotion"
    assert generate("emotion", folder, **SIZES, seed=5, workers=1).samples == SIZES
    return folder


@pytest.mark.parametrize("split", SIZES)
def test_files_are_in_the_layout_of_the_data_set(root: Path, split: Split) -> None:
    file, folder = FILES[split]
    with (root / file).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == SIZES[split]
    assert [int(row["Sr No."]) for row in rows] == list(range(1, len(rows) + 1))
    names = {f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}.mp4" for row in rows}
    assert {path.name for path in (root / folder).iterdir()} == names
    for row in rows:
        assert row["Emotion"] in EMOTIONS
        assert row["Sentiment"] in ("positive", "neutral", "negative")
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d,\d{3}", row[key]) for key in ("StartTime", "EndTime"))
        assert row["StartTime"] < row["EndTime"]
    for a, b in pairwise(rows):
        if a["Dialogue_ID"] == b["Dialogue_ID"]:
            assert int(b["Utterance_ID"]) == int(a["Utterance_ID"]) + 1
            assert a["EndTime"] < b["StartTime"]
            assert a["Speaker"] != b["Speaker"]


@pytest.mark.real_data
def test_the_columns_are_those_of_the_real_files() -> None:
    path = Path(os.environ.get("LSTTA_SHARED", "/nowhere")) / "data/meld/dev_sent_emo.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there: set LSTTA_SHARED")
    with path.open(encoding="utf-8", newline="") as lines:
        assert tuple(next(csv.reader(lines))) == HEADER


def test_times_are_written_as_in_the_data_set() -> None:
    assert clock(976_059) == "00:16:16,059"
    assert clock(3_600_000 + 61_007) == "01:01:01,007"


@cache
def dialogues(split: Split, clips: int) -> list[list[Utterance]]:
    return [list(group) for _, group in groupby(plan(split, clips, 0), key=lambda utterance: utterance.dialogue)]


def test_dialogues() -> None:
    for said in dialogues("train", 3000)[:-1]:
        assert 3 <= len(said) <= 6
        assert news(said[0].talk.line) is not None
        remarks = [news(utterance.talk.line) is None for utterance in said]
        assert not any(a and b for a, b in pairwise(remarks))
        assert len({u.speaker for u in said}) == 2
        assert len({(u.speaker, u.talk.person.voice.pitch) for u in said}) == 2


SIZE_OF_ORACLE: dict[Split, int] = {"train": 3000, "test": 1000}
Sense = Callable[[list[Utterance], int], Hashable]  # of a dialogue and the place of an utterance


def news_told(said: list[Utterance], k: int) -> Hashable:
    return news_of([utterance.talk.line for utterance in said[: k + 1]])


def words(said: list[Utterance], k: int) -> Hashable:
    return news(said[k].talk.line)


def face(said: list[Utterance], k: int) -> Hashable:
    return talk_truth.expression(said[k].talk)


def tone(said: list[Utterance], k: int) -> Hashable:
    return said[k].talk.tone


def accuracy(*senses: Sense, remarks_only: bool = False) -> float:
    """Of the most frequent emotion of each key in train, on test."""
    table: dict[Hashable, Counter[str]] = defaultdict(Counter)
    right = []
    for split, count in SIZE_OF_ORACLE.items():
        for said in dialogues(split, count):
            for k, utterance in enumerate(said):
                if remarks_only and news(utterance.talk.line) is not None:
                    continue
                key = tuple(sense(said, k) for sense in senses)
                if split == "train":
                    table[key][utterance.emotion] += 1
                else:
                    right.append(table[key].most_common(1)[0][0] == utterance.emotion)
    return sum(right) / len(right)


def test_all_three_modalities_are_needed() -> None:
    assert accuracy(news_told) < 0.2
    assert accuracy(face) < 0.46
    assert accuracy(tone) < 0.46
    assert accuracy(face, tone) < 0.8
    assert accuracy(news_told, face) < 0.55
    assert accuracy(news_told, tone) < 0.5
    assert accuracy(news_told, face, tone) == 1


def test_what_was_said_before_helps() -> None:
    assert accuracy(words, face, tone) < 0.95
    assert accuracy(words, face, tone, remarks_only=True) < 0.8
    assert accuracy(news_told, face, tone, remarks_only=True) == 1


@pytest.mark.parametrize("split", ["train", "test"])
def test_emotions_are_balanced_and_a_third_are_remarks(split: Split) -> None:
    planned = [utterance for said in dialogues(split, SIZE_OF_ORACLE[split]) for utterance in said]
    counts = Counter(utterance.emotion for utterance in planned)
    assert set(counts) == set(EMOTIONS)
    assert max(counts.values()) < 1.3 * min(counts.values())
    assert 0.25 < sum(news(utterance.talk.line) is None for utterance in planned) / len(planned) < 0.45


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    assert texts("val", 2, 5) == [utterance.talk.line for utterance in plan("val", 2, 5)]
