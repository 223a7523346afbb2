"""Orders of removal, and what is put together from predictions and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lstta_core.interfaces import Modality
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.importances.measured import (
    ALL,
    TIMED,
    Measured,
    agreements,
    curves,
    groups,
    segments_that_matter,
)
from lstta_tasks.importances.measured_table import print_measured
from lstta_tasks.importances.picture import write_picture
from lstta_tasks.importances.rankings import (
    ANOTHER,
    ATTENTION,
    CHANCE,
    HIGHEST,
    IMPORTANCE,
    LOWEST,
    RANDOM,
    Scores,
    at_random,
    of_another_clip,
    orders,
)
from lstta_tasks.importances.relevance_file import RelevantSeconds
from lstta_tasks.task import Sample
from lstta_tasks.tasks.avqa import AVQA

VISUAL, AUDIO = Modality.VISUAL, Modality.AUDIO
T = 3
SAMPLES = [
    Sample(id=f"q{i}", source=ClipSource(f"clip{i // 2}", Path("x.mp4")), text="?", target=1, labels=("A", "B", "yes"))
    for i in range(5)
]
RELEVANT = {
    "q0": RelevantSeconds({AUDIO: [(0.0, 1.0)]}, "A/B"),  # of sight nobody knows
    "q1": RelevantSeconds({VISUAL: [(1.0, 2.0)], AUDIO: [(1.0, 2.0)]}, "A/C"),
    "q2": RelevantSeconds({VISUAL: [], AUDIO: [], Modality.LANGUAGE: [(0.0, 1.0)]}, "A/B"),
    "q3": RelevantSeconds({VISUAL: [(0.0, 3.0)], AUDIO: [(0.0, 3.0)]}, "A/B"),
}


def scores(rising: bool = True) -> Scores:
    """Sight rises (or falls) over the segments, sound the other way."""
    up = np.arange(1.0, T + 1)
    return {s.id: {VISUAL: up if rising else up[::-1], AUDIO: up[::-1] if rising else up} for s in SAMPLES}


CLIPS = {sample.id: sample.source.id for sample in SAMPLES}
ALL_SEEN = {sample.id: {m: np.full(T, True) for m in (VISUAL, AUDIO)} for sample in SAMPLES}


def answers(right: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    return {sample.id: {"answer": "yes" if sample.id in right else "no", "probability": 0.5} for sample in SAMPLES}


class TestOrders:
    def test_which_there_are(self) -> None:
        every = orders({IMPORTANCE: scores(), ATTENTION: scores(False)}, 2, CLIPS)
        assert [(order.by, order.way, order.highest) for order in every] == [
            (IMPORTANCE, LOWEST, False),
            (IMPORTANCE, HIGHEST, True),
            (IMPORTANCE, ANOTHER, False),
            (ATTENTION, LOWEST, False),
            (ATTENTION, HIGHEST, True),
            (ATTENTION, ANOTHER, False),
            (CHANCE, RANDOM, False),
            (CHANCE, RANDOM, False),
        ]

    def test_random_ones_differ_between_draws_samples_and_modalities_and_are_the_same_again(self) -> None:
        first, again, second = at_random(scores(), 0), at_random(scores(), 0), at_random(scores(), 1)
        rows = [tuple(values) for drawn in (first, second) for by in drawn.values() for values in by.values()]
        assert len(set(rows)) == len(rows) == 2 * 2 * len(SAMPLES)
        assert all((again[s][m] == first[s][m]).all() for s in first for m in first[s])

    def test_each_gets_another_clips_and_each_is_given_once(self) -> None:
        numbered = {sample.id: {AUDIO: np.full(T, place)} for place, sample in enumerate(SAMPLES)}
        got = [float(by[AUDIO][0]) for by in of_another_clip(numbered, CLIPS).values()]
        assert sorted(got) == list(range(5))
        clips = {place: sample.source.id for place, sample in enumerate(SAMPLES)}
        assert all(clips[place] != clips[int(other)] for place, other in enumerate(got))

    @pytest.mark.parametrize("counts", [(2, 2, 1), (3, 5), (1, 1), (7, 1, 2)])
    def test_another_clip_is_never_the_own(self, counts: tuple[int, ...]) -> None:
        clips = {f"q{c}{n}": f"clip{c}" for n in range(max(counts)) for c, count in enumerate(counts) if n < count}
        numbered = {sample: {AUDIO: np.full(T, place)} for place, sample in enumerate(clips)}
        ids = list(clips)
        for sample, by in of_another_clip(numbered, clips).items():
            assert clips[ids[int(by[AUDIO][0])]] != clips[sample]

    def test_one_clip_has_no_other(self) -> None:
        ways = {order.way for order in orders({IMPORTANCE: scores()}, 1, dict.fromkeys(CLIPS, "one"))}
        assert ways == {LOWEST, HIGHEST, RANDOM}


def matters() -> Any:
    return segments_that_matter(RELEVANT, dict.fromkeys(RELEVANT, 3.0), T)


class TestMeasured:
    def test_agreements_by_type_leave_out_what_tells_nothing(self) -> None:
        result = agreements(scores(), matters(), ALL_SEEN, RELEVANT, CLIPS)
        assert set(result) == {"visual", "audio"}
        assert {group: part.samples for group, part in result["audio"].items()} == {"": 2, "A/B": 1, "A/C": 1}
        assert {group: part.samples for group, part in result["visual"].items()} == {"": 1, "A/C": 1}
        assert result["audio"]["A/B"].auroc.value == 1
        assert result["audio"]["A/C"].auroc.value == 0.5
        assert result["audio"][""].auroc.value == 0.75

    def test_segments_that_hold_nothing_are_left_out(self) -> None:
        """Of those that hold sound the first has more than the second; the silent third would have most."""
        numbers = {"q0": {AUDIO: np.array([0.9, 0.1, 1.0])}}
        known = {"q0": {AUDIO: np.array([True, False, False])}}
        seen = {"q0": {AUDIO: np.array([True, True, False])}}
        part = agreements(numbers, known, seen, RELEVANT, CLIPS)["audio"][""]
        assert part.auroc.value == 1
        assert part.relevant.value == pytest.approx(1.8)
        assert part.rest.value == pytest.approx(0.2)
        assert (part.auroc.low, part.auroc.high) == (None, None)
        silent = {"q0": {AUDIO: np.full(T, False)}}
        assert agreements(numbers, known, silent, RELEVANT, CLIPS) == {}

    def test_groups(self) -> None:
        assert {name: [s.id for s in part] for name, part in groups(SAMPLES, matters()).items()} == {
            ALL: ["q0", "q1", "q2", "q3", "q4"],
            TIMED: ["q0", "q1"],
        }
        assert list(groups(SAMPLES, {})) == [ALL]

    def test_curves_of_a_part_begin_with_whole_clips_and_gather_repetitions(self) -> None:
        task = AVQA(answers=("no", "yes"))
        first, *_, second, third = orders({IMPORTANCE: scores()}, 2, CLIPS)
        removed = [
            (first, [answers(["q0", "q1"]), answers(["q1"])]),
            (second, [answers([]), answers(["q0", "q4"])]),
            (third, [answers(["q0", "q1"]), answers(["q0", "q4"])]),
        ]
        drawn = curves(task, SAMPLES[:2], answers(["q0", "q1", "q2"]), removed)
        assert [(curve.by, curve.way, curve.values) for curve in drawn] == [
            (IMPORTANCE, LOWEST, ((1.0, 1.0, 0.5),)),
            (CHANCE, RANDOM, ((1.0, 0.0, 0.5), (1.0, 1.0, 0.5))),
        ]
        assert drawn[1].mean == [1.0, 0.5, 0.5]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_shown(known: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = AVQA(answers=("no", "yes"))
    explanations = {IMPORTANCE: scores(), ATTENTION: scores(False)}
    removed = [(order, [answers(["q0"]), answers(["q1"])]) for order in orders(explanations, 2, CLIPS)]
    parts = groups(SAMPLES, matters() if known else {})
    measured = Measured(
        agreement={
            name: agreements(given, matters() if known else {}, ALL_SEEN, RELEVANT, CLIPS)
            for name, given in explanations.items()
        },
        curves={name: curves(task, part, answers(["q0", "q1"]), removed) for name, part in parts.items()},
        samples={name: len(part) for name, part in parts.items()},
        removed=(0, 1, 2),
        metric="overall",
        lower_is_better=False,
    )
    print_measured(measured)
    printed = capsys.readouterr().out
    assert ("0.750" in printed) == known
    assert "another clip's lowest " in printed
    assert json.loads(json.dumps(asdict(measured)))["metric"] == "overall"
    write_picture(measured, "costs $5", tmp_path / "new" / "picture.png")
    with Image.open(tmp_path / "new" / "picture.png") as picture:
        assert picture.width == (1320 if known else 880)
