"""CMU-MOSI's raw layout; and that no modality alone tells the score, and the expression of another time does not."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Hashable
from pathlib import Path

import numpy as np
import pytest

from lstta_world import talk_truth
from lstta_world.generate import generate
from lstta_world.mosi import plan, texts
from lstta_world.opinions import polarity, score
from lstta_world.talk import Talk

SIZES = {"train": 7, "val": 2, "test": 3}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "sentiment"
    assert generate("sentiment", folder, **SIZES, seed=5, workers=1).samples == SIZES
    return folder


def test_files_are_in_the_layout_of_the_data_set(root: Path) -> None:
    with (root / "label.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["video_id", "clip_id", "text", "label", "annotation", "mode"]
    assert [row["mode"] for row in rows] == ["train"] * 7 + ["valid"] * 2 + ["test"] * 3
    clips = {f"Raw/{row['video_id']}/{row['clip_id']}.mp4" for row in rows}
    assert {str(path.relative_to(root)) for path in root.rglob("*.mp4")} == clips
    assert len(clips) == 12
    talks = [talk for split, count in SIZES.items() for talk in plan(split, count, 5)]  # type: ignore[arg-type]
    for row, talk in zip(rows, talks, strict=True):
        assert row["text"] == talk.line
        label = float(row["label"])
        assert label == score(talk)
        assert row["annotation"] == ("Positive" if label > 0 else "Negative" if label < 0 else "Neutral")
    of_video = defaultdict(list)
    for row, talk in zip(rows, talks, strict=True):
        of_video[row["video_id"]].append(talk.person)
    assert all(person == people[0] for people in of_video.values() for person in people)
    assert [len(people) for people in of_video.values()] == [5, 2, 2, 3]


Sense = Callable[[Talk], Hashable]


def around(talk: Talk) -> Hashable:
    return talk.looks[0].expression, talk.looks[2].expression


MODALITIES: dict[str, Sense] = {
    "words": lambda talk: polarity(talk.line),
    "face": lambda talk: (talk_truth.expression(talk), around(talk)),
    "tone": lambda talk: talk.tone,
}


def correlation(sense: Sense, train: list[Talk], test: list[Talk]) -> float:
    """Of the mean score of each key in ``train`` with the scores of ``test``."""
    table = defaultdict(list)
    for talk in train:
        table[sense(talk)].append(score(talk))
    predicted = [float(np.mean(table[sense(talk)])) for talk in test]
    return float(np.corrcoef(predicted, [score(talk) for talk in test])[0, 1])


def test_all_three_modalities_are_needed() -> None:
    train, test = plan("train", 4000, 0), plan("test", 1000, 0)
    alone = {name: correlation(sense, train, test) for name, sense in MODALITIES.items()}
    assert all(0.4 < value < 0.65 for value in alone.values()), alone
    for missing in MODALITIES:
        two = [sense for name, sense in MODALITIES.items() if name != missing]
        assert correlation(lambda talk, two=two: tuple(sense(talk) for sense in two), train, test) < 0.87  # type: ignore[misc]

    assert correlation(lambda talk: (polarity(talk.line), talk_truth.expression(talk), talk.tone), train, test) > 0.999


def test_only_the_expression_while_the_line_is_said_counts() -> None:
    train, test = plan("train", 2000, 0), plan("test", 500, 0)
    assert abs(correlation(around, train, test)) < 0.15


def test_labels_are_spread_and_lines_learnt_by_heart_do_not_help() -> None:
    train, test = plan("train", 2000, 0), plan("test", 500, 0)
    for talks in (train, test):
        labels = np.array([score(talk) for talk in talks])
        assert 0.4 < np.mean(labels > 0) < 0.6
        assert np.mean(labels == 0) < 0.1
        assert abs(labels.mean()) < 0.3
        assert 1.2 < labels.std() < 1.7
        shares = np.bincount(np.round(labels).astype(int) + 3, minlength=7) / len(labels)
        assert 0.015 < shares.min() < shares.max() < 0.3
    new = [talk for talk in test if talk.line not in {other.line for other in train}]
    assert len(new) > 250


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    assert texts("val", 2, 5) == [talk.line for talk in plan("val", 2, 5)]
