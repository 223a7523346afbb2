from __future__ import annotations

from dataclasses import fields

import pytest

from lstta_world import truth
from lstta_world.backdrops import INDOOR, OUTDOOR
from lstta_world.random_scenes import sample_scene
from lstta_world.scene import INSTRUMENTS, Gesture, Note, Scene, Syllable
from lstta_world.splits import Split, scene_rng
from lstta_world.styles import SEEN, UNSEEN


def test_a_scene_depends_on_seed_split_and_index_alone() -> None:
    again = [sample_scene(scene_rng(5, "val", 11), "val") for _ in range(2)]
    assert again[0] == again[1]
    others: list[tuple[int, Split, int]] = [(5, "val", 12), (6, "val", 11), (5, "train", 11)]
    assert all(sample_scene(scene_rng(seed, split, i), split) != again[0] for seed, split, i in others)


@pytest.mark.parametrize("name", [f.name for f in fields(SEEN)])
def test_the_test_split_has_nothing_of_what_training_has(name: str) -> None:
    seen, unseen = getattr(SEEN, name), getattr(UNSEEN, name)
    if isinstance(seen[0], str):
        assert not set(seen) & set(unseen)
    else:
        assert all(b < c or d < a for a, b in seen for c, d in unseen)


def test_every_backdrop_can_be_drawn() -> None:
    assert {*SEEN.indoor, *UNSEEN.indoor} == set(INDOOR)
    assert {*SEEN.outdoor, *UNSEEN.outdoor} == set(OUTDOOR)


def test_all_that_happens_lies_within_the_clip(scenes: list[Scene]) -> None:
    for scene in scenes:
        events: list[Note | Gesture | Syllable] = [*scene.notes, *scene.gestures, *scene.voice]
        for event in events:
            assert event.onset >= 0
            assert event.duration > 0
            assert event.onset + event.duration <= scene.duration
        assert list(scene.notes) == sorted(scene.notes, key=lambda note: note.onset)


def test_who_is_there(scenes: list[Scene]) -> None:
    for scene in scenes:
        positions = [p.position for p in scene.performers if p.visible]
        assert 1 <= len(positions) <= 3
        assert len(set(positions)) == len(positions)
        unseen = [p.instrument for p in scene.performers if not p.visible]
        assert len(set(unseen)) == len(unseen)
        assert not {kind for kind, _ in truth.visible(scene)} & set(unseen)
    assert {p.instrument for scene in scenes for p in scene.performers} == set(INSTRUMENTS)


def test_mimed_gestures_keep_clear_of_played_phrases(scenes: list[Scene]) -> None:
    mimed = 0
    for scene in scenes:
        for gesture in scene.gestures:
            mimed += 1
            for start, end in truth.phrases(truth.notes_of(scene, gesture.performer)):
                assert gesture.onset + gesture.duration < start or gesture.onset > end
    assert mimed > 100


def test_the_world_has_its_cases(scenes: list[Scene]) -> None:
    cases = {
        "seen but silent": lambda s: bool(set(truth.visible_performers(s)) - set(truth.heard(s))),
        "heard but unseen": lambda s: any(not s.performers[i].visible for i in truth.heard(s)),
        "nobody plays": lambda s: not s.notes,
        "twins": lambda s: len({k for k, _ in truth.visible(s)}) < len(truth.visible(s)),
        "voice-over": lambda s: bool(s.voice),
        "mimed": lambda s: bool(s.gestures),
    }
    for name, holds in cases.items():
        share = sum(map(holds, scenes)) / len(scenes)
        assert 0.02 < share < 0.8, (name, share)


def test_too_short_a_scene_is_refused() -> None:
    assert sample_scene(scene_rng(0, "train", 0), "train", duration=5.0).duration == 5.0
    with pytest.raises(ValueError, match=r"duration=3\.5"):
        sample_scene(scene_rng(0, "train", 0), "train", duration=3.5)
