from __future__ import annotations

import math

import pytest

from lstta_world import truth
from lstta_world.scene import Scene


def test_who_is_seen_heard_and_moves(duet: Scene) -> None:
    assert truth.visible(duet) == [("violin", "left"), ("drum", "middle"), ("piano", "right")]
    assert truth.visible_performers(duet) == [0, 3, 1]
    assert truth.heard(duet) == [0, 1, 2]
    assert truth.sounding(duet, 2, 3) == {"violin": 0.8}
    assert truth.moving(duet, 2, 3) == [("violin", "left"), ("piano", "right")]
    assert truth.sounding(duet, 5, 6) == {"piano": 0.2, "flute": 0.5}
    assert truth.moving(duet, 5, 6) == [("piano", "right")]
    assert truth.sounding(duet, 3, 5) == {}
    assert truth.moving(duet, 3.1, 5) == []


def test_when_and_how(duet: Scene) -> None:
    assert truth.phrases(truth.notes_of(duet, 0)) == [(1.0, pytest.approx(2.95))]
    assert truth.onset(duet, 0) == 1.0
    assert truth.end(duet, 1) == pytest.approx(6.9)
    assert truth.playing_time(duet, 0) == pytest.approx(1.95)
    assert truth.rhythm(duet, 0) == pytest.approx(4 / 1.95)
    assert truth.loudness(duet, 1) == pytest.approx(0.2)
    assert truth.overlap(duet, 1, 2) == pytest.approx(0.5)
    assert truth.overlap(duet, 0, 1) == 0


def test_a_silent_performer(duet: Scene) -> None:
    assert truth.onset(duet, 3) == math.inf
    assert truth.end(duet, 3) == -math.inf
    assert truth.playing_time(duet, 3) == truth.rhythm(duet, 3) == truth.loudness(duet, 3) == 0


def test_the_voice(duet: Scene) -> None:
    assert truth.speaking(duet, 0, 1)
    assert not truth.speaking(duet, 0.45, 8)


def test_segments_against_a_walk_through_time(scenes: list[Scene]) -> None:
    step = 0.01
    for scene in scenes[::7]:
        for second in range(8):
            times = [second + step * (k + 0.5) for k in range(100)]
            covered: dict[str, float] = {}
            for i, performer in enumerate(scene.performers):
                own = [n for n in scene.notes if n.performer == i]
                hits = sum(any(n.onset <= t < n.onset + n.duration for n in own) for t in times)
                covered[performer.instrument] = max(covered.get(performer.instrument, 0), hits * step)
            sounding = truth.sounding(scene, second, second + 1)
            for kind, seconds in covered.items():
                if abs(seconds - 0.1) > 2 * step:
                    assert (kind in sounding) == (seconds > 0.1)
