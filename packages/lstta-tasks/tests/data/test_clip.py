"""A source that no clip could come of is refused; settings have a fingerprint that changes with each of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lstta_tasks.data import clip as module
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.preprocessing import differences, preprocessing_from

BASE: dict[str, Any] = {
    "segments": 7,
    "frames_per_segment": 2,
    "frame_size": (11, 13),
    "fit": "crop",
    "sample_rate": 16_000,
    "sound_seconds": 1.5,
}
OTHER: dict[str, Any] = {
    "segments": 8,
    "frames_per_segment": 3,
    "frame_size": (13, 11),
    "fit": "pad",
    "sample_rate": 8_000,
    "sound_seconds": 1.25,
}


@pytest.mark.parametrize("name", BASE)
def test_every_setting_changes_the_fingerprint(name: str) -> None:
    base, changed = Preprocessing(**BASE), Preprocessing(**{**BASE, name: OTHER[name]})
    assert base.fingerprint() != changed.fingerprint()
    assert differences(changed, base) == [f"{name}: {OTHER[name]!r} here, {BASE[name]!r} there"]


def test_the_fingerprint_is_the_same_for_ever() -> None:
    """A change here makes every cache of every user stale: raise DECODING_VERSION where that is meant."""
    wanted = "ab6aad0f3135af0977e4ba9b18aebbe8981546d8a097e6f34cbca5202568ae60"
    assert Preprocessing(**BASE).fingerprint() == wanted
    assert Preprocessing(**{**BASE, "frame_size": [11, 13], "sound_seconds": 1.5}).fingerprint() == wanted


def test_another_way_of_decoding_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Preprocessing(**BASE).fingerprint()
    monkeypatch.setattr(module, "DECODING_VERSION", module.DECODING_VERSION + 1)
    assert Preprocessing(**BASE).fingerprint() != before


def test_settings_come_back_from_json() -> None:
    settings = Preprocessing(**BASE)
    assert preprocessing_from(json.loads(json.dumps(asdict(settings)))) == settings
    with pytest.raises(ValueError, match=r"unknown preprocessing settings \['segmets'\]; there are .*'segments'"):
        preprocessing_from({**BASE, "segmets": 3})
    with pytest.raises(ValueError, match=r"incomplete: .*sample_rate"):
        preprocessing_from({"segments": 3, "frame_size": (2, 3), "sound_seconds": 1.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segments": 0}, "segments must be a whole number of at least 1, got 0"),
        ({"segments": 2.5}, "segments must be a whole number of at least 1, got 2.5"),
        ({"frames_per_segment": True}, "frames_per_segment must be a whole number"),
        ({"frame_size": (0, 3)}, "each side of frame_size must be a whole number of at least 1, got 0"),
        ({"frame_size": (2, 3, 3)}, r"frame_size must be \(height, width\), got \(2, 3, 3\)"),
        ({"fit": "stretch"}, "fit must be one of crop, squash, pad, got 'stretch'"),
        ({"sample_rate": -1}, "sample_rate must be a whole number of at least 1, got -1"),
        ({"sound_seconds": 0.0}, "at least one sample at 16000 Hz, got 0.0"),
        ({"sound_seconds": float("nan")}, "at least one sample"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing(**{**BASE, **changes})


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (float("nan"), None), (0.0, float("nan")), (float("inf"), None)],
)
def test_times_that_are_no_span_are_refused(start: float, end: float | None) -> None:
    with pytest.raises(ValueError, match=r"clip 'a' runs from .* which is no span"):
        ClipSource("a", Path("v.mp4"), start=start, end=end)


def test_a_source_needs_an_id_and_a_file() -> None:
    with pytest.raises(ValueError, match="id that is not empty"):
        ClipSource("", Path("v.mp4"))
    with pytest.raises(ValueError, match="clip 'a' has neither a video nor a sound file"):
        ClipSource("a")
