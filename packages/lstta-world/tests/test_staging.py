from __future__ import annotations

import numpy as np
import pytest

from lstta_world import truth
from lstta_world.splits import SPLITS, Split
from lstta_world.staging import Part, draw_positions, speak, stage_scene
from lstta_world.styles import STYLES


@pytest.mark.parametrize("split", SPLITS)
def test_everybody_does_their_part_and_nothing_else(split: Split) -> None:
    parts = [
        Part("violin", "left", plays=((0.5, 3.0),), mimes=((4.0, 7.0),)),
        Part("drum", None, plays=((1.0, 2.5), (5.0, 8.0))),
        Part("flute", "right"),
    ]
    for seed in range(17):
        scene = stage_scene(np.random.default_rng(seed), split, parts, "outdoor", [(2.0, 4.0)])
        assert truth.visible(scene) == [("violin", "left"), ("flute", "right")]
        assert truth.heard(scene) == [0, 1]
        for performer, part in enumerate(parts):
            moves = sorted([*part.plays, *part.mimes])
            for events, spans in (
                (truth.notes_of(scene, performer), part.plays),
                (truth.motions(scene, performer), moves),
            ):
                phrases = truth.phrases(events)
                assert len(phrases) == len(spans)
                for (start, end), (begin, stop) in zip(phrases, spans, strict=True):
                    assert start == begin
                    assert stop - 0.5 < end <= stop
        assert truth.speaking(scene, 2.0, 4.0, least=1.5)
        assert not truth.speaking(scene, 0.0, 2.0, least=0.01)
        assert not truth.speaking(scene, 4.0, 8.0, least=0.01)
        assert scene.backdrop in STYLES[split].outdoor
        assert scene.split == split
        assert [note.onset for note in scene.notes] == sorted(note.onset for note in scene.notes)


def test_nobody_speaks_where_nothing_is_said() -> None:
    assert speak(np.random.default_rng(0), []) == ()


def test_positions_differ() -> None:
    drawn = [draw_positions(np.random.default_rng(seed), 2) for seed in range(53)]
    assert all(len(set(positions)) == 2 for positions in drawn)
    assert {tuple(positions) for positions in drawn} == {
        (a, b) for a in ("left", "middle", "right") for b in ("left", "middle", "right") if a != b
    }
