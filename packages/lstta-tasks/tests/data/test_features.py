"""Which steps belong to a segment, against a loop; and what a batch of features is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstta_core.features import FeatureError, Features
from lstta_core.interfaces import FeatureSpec, Modality
from lstta_tasks.data.batch import Collate
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.features import FeatureDataset, features_of, fewer, length_of, parts_of
from lstta_tasks.sample import Sample, TimedText


class Source:
    """Features in memory."""

    place = "memory"

    def __init__(self, **features: Features) -> None:
        self.features = features

    def names(self) -> Collection[str]:
        return self.features.keys()

    def read(self, name: str) -> Features:
        return self.features[name]


def numbered(steps: int, each: int = 1, times: list[tuple[float, float]] | None = None) -> Features:
    """Each token's value is its number, from 1."""
    values = np.arange(1, steps * each + 1, dtype=np.float32).reshape(steps, each, 1)
    return Features(values, None if times is None else np.array(times, np.float64))


def firsts(parts: list[np.ndarray]) -> list[list[int]]:
    return [[int(value) for value in part[:, 0, 0]] for part in parts]


def test_by_counts() -> None:
    assert firsts(parts_of(numbered(7), 3, 1.0)) == [[1, 2], [3, 4, 5], [6, 7]]
    assert firsts(parts_of(numbered(2), 5, 1.0)) == [[1], [1], [2], [2], [2]]
    assert firsts(parts_of(numbered(1), 3, 1.0)) == [[1], [1], [1]]
    assert firsts(parts_of(numbered(0), 3, 1.0)) == [[], [], []]


def test_by_times() -> None:
    said = numbered(3, times=[(0.2, 0.8), (1.1, 1.3), (5.0, 6.0)])
    assert firsts(parts_of(said, 3, 6.0)) == [[1, 2], [], [3]]
    assert firsts(parts_of(said, 2, 2.0)) == [[1], [2]]  # past the clip's end is nowhere
    assert firsts(parts_of(numbered(1, times=[(0.0, 6.0)]), 3, 6.0)) == [[1], [1], [1]]


@settings(deadline=None)
@given(steps=st.integers(1, 23), segments=st.integers(1, 11))
def test_every_step_is_somewhere_and_no_segment_is_empty(steps: int, segments: int) -> None:
    parts = firsts(parts_of(numbered(steps), segments, 1.0))
    assert all(parts)
    if steps >= 2 * segments:
        assert [step for part in parts for step in part] == list(range(1, steps + 1))


def test_more_tokens_than_are_read_are_averaged() -> None:
    assert fewer(numbered(5).values, 5)[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert fewer(numbered(5).values, 2)[:, 0].tolist() == [1.5, 4.0]
    assert fewer(numbered(3, each=2).values, 2)[:, 0].tolist() == [3.0, 4.0]  # steps first: (1, 3, 5) and (2, 4, 6)
    assert fewer(numbered(3, each=2).values, 1)[:, 0].tolist() == [3.5]
    assert fewer(numbered(0).values, 3).shape == (0, 1)


def sample(name: str, *, start: float | None = None, end: float | None = None, timed: bool = False) -> Sample:
    source = ClipSource(f"clip-{name}", Path(f"films/film-{name}.mp4"), start=start, end=end)
    return Sample(name, source, text=None, target=1, timed=(TimedText(0, 1, "x"),) if timed else ())


SPECS = {
    Modality.VISUAL: FeatureSpec(Source(**{"clip-a": numbered(3), "clip-b": numbered(2, each=2)}), 1, tokens=2),
    Modality.LANGUAGE: FeatureSpec(Source(a=numbered(5), c=numbered(1)), 1, tokens=7, named="sample"),
}


class TestBatches:
    def test_are_what_the_encoder_reads(self) -> None:
        dataset = FeatureDataset([sample("a"), sample("b"), sample("c")], SPECS, segments=3)
        assert [one.id for one in dataset.samples] == ["a", "b"]
        assert dataset.missing == ["clip-c"]
        inputs = Collate(SPECS)(dataset.__getitems__([0, 1]))["inputs"]
        visual, language = inputs["visual"], inputs["language"]
        assert visual["features"][..., 0].tolist() == [[[1, 0], [2, 0], [3, 0]], [[1, 2], [3, 4], [3, 4]]]
        assert visual["mask"].sum(-1).tolist() == [[1, 1, 1], [2, 2, 2]]
        assert language["features"].shape == (2, 1, 7, 1)
        assert language["mask"].sum(-1).tolist() == [[5], [0]]
        assert language["present"].tolist() == [True, False]

    def test_of_ids_that_are_other_ones(self) -> None:
        with pytest.raises(FeatureError, match=r"memory has features of none of the 1 clips .*'clip-a'"):
            FeatureDataset([sample("z")], SPECS, segments=3)

    def test_with_subtitles_and_without_times(self) -> None:
        dataset = FeatureDataset([sample("a", timed=True)], SPECS, segments=3)
        with pytest.raises(FeatureError, match=r"clip-a: its texts have times, its features none"):
            dataset[0]


def test_a_clip_that_is_a_part_of_a_video() -> None:
    film = numbered(4, times=[(0, 1), (1, 2), (2, 3), (3, 4)])
    spec = FeatureSpec(Source(**{"film-a": film}), 1, named="video")
    part = sample("a", start=1.0, end=3.0)
    found = features_of({Modality.VISUAL: spec}, part)[Modality.VISUAL]
    assert firsts(parts_of(found, 2, 2.0)) == [[2], [3]]
    untimed = FeatureSpec(Source(**{"film-a": numbered(4)}), 1, named="video")
    with pytest.raises(FeatureError, match=r"clip 'clip-a' is a part of this video.*say encoders.visual.seconds"):
        features_of({Modality.VISUAL: untimed}, part)


def test_steps_without_length_are_somewhere() -> None:
    """As of a file that says one time, 0, for everything."""
    assert length_of(sample("a").source, {Modality.VISUAL: numbered(1, times=[(0.0, 0.0)])}, 3) == 3.0
    assert length_of(sample("a", start=1.0, end=2.5).source, {}, 3) == 1.5
