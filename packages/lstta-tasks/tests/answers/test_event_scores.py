"""F-scores of events against a loop over their definition, one clip, one label, one segment or event at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lstta_tasks.answers.event_scores import NAMES, Mask, event_scores, spans

Row = Sequence[bool]


def found_spans(row: Row) -> list[set[int]]:
    events: list[set[int]] = []
    for place, on in enumerate(row):
        if on and place and row[place - 1]:
            events[-1].add(place)
        elif on:
            events.append({place})
    return events


def segment_counts(said: Row, true: Row) -> tuple[int, int, int]:
    tp = fp = fn = 0
    for s, t in zip(said, true, strict=True):
        tp, fp, fn = tp + (s and t), fp + (s and not t), fn + (t and not s)
    return tp, fp, fn


def event_counts(said: Row, true: Row) -> tuple[int, int, int]:
    def meets(one: set[int], others: list[set[int]]) -> bool:
        return any(2 * len(one & other) >= len(one | other) for other in others)

    found, wanted = found_spans(said), found_spans(true)
    tp = sum(meets(one, wanted) for one in found)
    return tp, len(found) - tp, sum(not meets(one, found) for one in wanted)


def clip_f(counts: Sequence[tuple[int, int, int]]) -> float:
    f = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in counts if tp + fp + fn]
    return sum(f) / len(f) if f else 1.0


def loop(said: Mask, true: Mask) -> dict[str, float]:
    found: dict[str, float] = {}
    for level, count in (("segment", segment_counts), ("event", event_counts)):
        by_name: dict[str, list[float]] = {}
        for s, t in zip(said.tolist(), true.tolist(), strict=True):
            rows: dict[str, list[tuple[int, int, int]]] = {
                "audio": [],
                "visual": [],
                "audio-visual": [],
                "Event@AV": [],
            }
            for label in range(len(s[0])):
                audio, visual = count(s[0][label], t[0][label]), count(s[1][label], t[1][label])
                both = [[a and v for a, v in zip(one[0][label], one[1][label], strict=True)] for one in (s, t)]
                rows["audio"].append(audio)
                rows["visual"].append(visual)
                rows["audio-visual"].append(count(*both))
                rows["Event@AV"].append(tuple(a + v for a, v in zip(audio, visual, strict=True)))  # type: ignore[arg-type]
            f = {name: clip_f(some) for name, some in rows.items()}
            f["Type@AV"] = (f["audio"] + f["visual"] + f["audio-visual"]) / 3
            for name, value in f.items():
                by_name.setdefault(name, []).append(value)
        found |= {f"{level}/{name}": sum(values) / len(values) for name, values in by_name.items()}
    return found


CASES = {
    "random": (7, 3, 11, 0.5, 0.5),
    "rare": (13, 5, 7, 0.15, 0.15),
    "said too often": (7, 3, 10, 0.9, 0.2),
    "no events": (5, 3, 7, 0.3, 0.0),
    "nothing said": (5, 3, 7, 0.0, 0.3),
    "neither": (5, 3, 7, 0.0, 0.0),
    "all events": (5, 3, 7, 0.4, 1.0),
    "all of both": (5, 3, 7, 1.0, 1.0),
    "one segment": (11, 3, 1, 0.5, 0.5),
    "one label": (11, 1, 7, 0.5, 0.5),
    "one clip": (1, 3, 7, 0.5, 0.5),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_each_is_its_definition(case: str, seed: int) -> None:
    clips, labels, segments, of_said, of_true = CASES[case]
    random = np.random.default_rng([seed, clips, labels, segments])
    said, true = (random.random((clips, 2, labels, segments)) < share for share in (of_said, of_true))
    wanted = loop(said, true)
    found = dict(zip(NAMES, event_scores(said, true).mean(0), strict=True))
    assert found.keys() == wanted.keys()
    assert found == pytest.approx(wanted)


def test_without_labels_silence_is_told() -> None:
    nothing = np.zeros((3, 2, 0, 7), np.bool_)
    assert (event_scores(nothing, nothing) == 1).all()


def test_by_hand() -> None:
    """A true event of seconds 0 to 3 of which two are said: half the union is hit, two of four segments."""
    true, said = np.zeros((1, 2, 1, 5), np.bool_), np.zeros((1, 2, 1, 5), np.bool_)
    true[0, 0, 0, :4], said[0, 0, 0, :2] = True, True
    found = dict(zip(NAMES, event_scores(said, true)[0].tolist(), strict=True))
    assert found["segment/audio"] == pytest.approx(2 / 3)
    assert found["event/audio"] == 1
    assert found["segment/visual"] == found["segment/audio-visual"] == 1
    assert found["segment/Type@AV"] == pytest.approx((2 / 3 + 2) / 3)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [([], []), ([0], []), ([1], [(0, 1)]), ([1, 1, 0, 1], [(0, 2), (3, 4)]), ([0, 1, 0, 1, 0], [(1, 2), (3, 4)])],
)
def test_spans(row: list[int], wanted: list[tuple[int, int]]) -> None:
    assert spans([bool(on) for on in row]) == wanted
