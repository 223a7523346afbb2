from __future__ import annotations

import json
from collections import Counter

import pytest

from lstta_tasks.doctor.examine import Diagnosis, SplitFacts
from lstta_tasks.doctor.finding import Finding
from lstta_tasks.doctor.report import MOST, as_json, print_diagnosis, skip_list

FACTS = SplitFacts(
    samples=1234,
    clips=7,
    lost=2,
    without_sound=3,
    without_pictures=0,
    shortest=0.5,
    median=4.0,
    longest=3601.0,
    tokens=(9.0, 64),
)
DIAGNOSIS = Diagnosis(
    splits={"train": FACTS},
    labels={"train": Counter(f"label {i}" for i in range(MOST + 2))},
    findings=(
        Finding("error", "missing", "train", "a", "a.mp4: there is no such file"),
        Finding("error", "missing", "train", "[b]", "[b].mp4: there is no such file"),
        Finding("warning", "imbalance", "train", "", "most are [yes]"),
    ),
    unusable={"a": "a.mp4: there is no such file", "b c": "two\nlines", "#d": "damaged", "e\n": "damaged"},
    odd={"f": "very long: f.mp4: 3601.00 s"},
)


def test_the_list_that_the_cache_builder_skips() -> None:
    text = skip_list(DIAGNOSIS)
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["a", "b c"]
    assert text == (
        "# Clips for lstta cache build --skip to leave out: they cannot be decoded.\n"
        "# a.mp4: there is no such file\na\n"
        "# two lines\nb c\n"
        "# damaged\n# its id cannot stand in this file: '#d'\n"
        "# damaged\n# its id cannot stand in this file: 'e\\n'\n"
        "# Clips of an odd length; they are not left out unless the sign before the id goes.\n"
        "# very long: f.mp4: 3601.00 s\n#f\n"
    )


def test_json() -> None:
    found = json.loads(json.dumps(as_json(DIAGNOSIS)))
    assert (found["errors"], found["warnings"]) == (2, 1)
    assert found["splits"]["train"]["longest"] == 3601.0
    assert found["findings"][1] == {
        "level": "error",
        "check": "missing",
        "split": "train",
        "id": "[b]",
        "detail": "[b].mp4: there is no such file",
    }
    assert found["unusable"]["#d"] == "damaged"


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    print_diagnosis(DIAGNOSIS)
    out = capsys.readouterr().out
    for words in ("1,234", "3,601.0", "… and 2 more", "most are [yes]", "errors: 2, warnings: 1"):
        assert words in out
    assert "[b]" not in out  # the first case stands for all of its kind
