"""The file of relevant seconds: what is read, and what is said of one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstta_core.interfaces import Modality
from lstta_tasks.importances.relevance_file import (
    RELEVANT_SECONDS,
    RelevantSeconds,
    check_within_clips,
    covered,
    read_relevant_seconds,
    relevance_file,
)

VISUAL, AUDIO, LANGUAGE = Modality.VISUAL, Modality.AUDIO, Modality.LANGUAGE
IDS = ["a", "b", "c"]


def write(folder: Path, content: object) -> Path:
    file = folder / RELEVANT_SECONDS
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def of_sample(entry: object) -> dict[str, Any]:
    return {"schema": 1, "splits": {"val": {"a": entry}}}


def test_what_is_read(tmp_path: Path) -> None:
    samples = {
        "b": {"group": "who", "visual": [[0, 1.5], [1.5, 2]], "audio": []},
        "a": {"language": [[0.25, 0.5]]},
    }
    file = write(tmp_path, {"schema": 1, "splits": {"train": {"strange": "unread"}, "val": samples}})
    assert read_relevant_seconds(file, "val", IDS) == {
        "b": RelevantSeconds({VISUAL: [(0.0, 1.5), (1.5, 2.0)], AUDIO: []}, "who"),
        "a": RelevantSeconds({LANGUAGE: [(0.25, 0.5)]}),
    }
    assert read_relevant_seconds(file, "test", IDS) == {}, "a split that the file does not name"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON as it should be .*write it again, or take it away"),
        ('{"schema": 1, "splits": {"val": {"a": {}, "a": {}}}}', "'a' stands there twice"),
        ([], "schema must be 1, got None; write it as docs/importances.md has it"),
        ({"splits": {}}, "schema must be 1, got None"),
        ({"schema": 2, "splits": {}}, "schema must be 1, got 2"),
        ({"schema": 1}, "splits: an object is wanted, got None"),
        ({"schema": 1, "splits": {}, "seed": 3}, "the file: nothing reads 'seed'; there are schema, splits"),
        ({"schema": 1, "splits": {"dev": {}}}, "splits: nothing reads 'dev'; there are test, train, val"),
        ({"schema": 1, "splits": {"val": []}}, r"split 'val': an object is wanted, got \[\]"),
        ({"schema": 1, "splits": {"val": {"d": {}}}}, "split 'val' has no sample 'd', its 3 samples .* 'a', 'b', …"),
        (of_sample([[0, 1]]), r"sample 'a': an object is wanted, got \[\[0, 1\]\]"),
        (of_sample({"sight": []}), "sample 'a': nothing reads 'sight'; there are audio, group, language, visual"),
        (of_sample({"group": 3}), "sample 'a': group must be a text, got 3"),
        (of_sample({"visual": None}), "sample 'a': visual must be a list of .start, end., got None"),
        (of_sample({"audio": [0, 1]}), "sample 'a': audio has the span 0: "),
        (of_sample({"audio": [[0, 1, 2]]}), r"the span \[0, 1, 2\]"),
        (of_sample({"audio": [[2, 1]]}), r"the span \[2, 1\]: .start, end. in seconds, 0 ≤ start < end, is wanted"),
        (of_sample({"audio": [[1, 1]]}), r"the span \[1, 1\]"),
        (of_sample({"audio": [[-1, 1]]}), r"the span \[-1, 1\]"),
        (of_sample({"audio": [["0", 1]]}), "the span"),
        (of_sample({"audio": [[False, True]]}), "the span"),
        (of_sample({"audio": [[0, float("inf")]]}), "the span"),
        (of_sample({"audio": [[0, 2], [1, 3]]}), r"audio has \[1, 3\] after \[0.0, 2.0\]: sort and join spans"),
    ],
)
def test_what_is_wrong_is_said(content: object, message: str, tmp_path: Path) -> None:
    file = write(tmp_path, content)
    with pytest.raises(ValueError, match=message) as error:
        read_relevant_seconds(file, "val", IDS)
    assert str(file) in str(error.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / RELEVANT_SECONDS
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="not JSON as it should be"):
        read_relevant_seconds(file, "val", IDS)


def test_spans_past_the_clip(tmp_path: Path) -> None:
    relevant = {
        "a": RelevantSeconds({VISUAL: [(0.0, 1.0)], AUDIO: [(2.0, 3.0), (7.5, 8.06)]}),
        "b": RelevantSeconds({LANGUAGE: [(7.0, 8.5)]}),
    }
    check_within_clips(tmp_path, relevant, {"a": 8.0})
    with pytest.raises(ValueError, match=r"sample 'b': the language span \[7, 8.5\] ends after the clip.* lasts 8 sec"):
        check_within_clips(tmp_path, relevant, {"a": 8.0, "b": 8.0})


def test_where_the_file_is(tmp_path: Path) -> None:
    """In the root, or beside the table; and a data set without it has none."""
    section = {"name": "avqa", "root": str(tmp_path)}
    assert relevance_file(section) is None
    file = write(tmp_path, {})
    assert relevance_file(section) == file
    assert relevance_file({"name": "classification", "path": str(tmp_path / "labels.csv")}) == file
    assert relevance_file({"name": "classification", "path": None, "root": None}) is None


def test_covered() -> None:
    assert covered([(0.5, 1.0), (1.5, 9.0)], 0.75, 2.0) == 0.75
    assert covered([], 0, 1) == 0
