"""Clips whose instruments come and go: one event a clip, which no single sense tells; pictures and sound as said."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from lstta_world import ave, llp
from lstta_world.event_clips import SECONDS, SHORTEST, EventClip
from lstta_world.event_film import draw_second, render_event_sound
from lstta_world.splits import Split
from lstta_world.synth import SAMPLE_RATE


@cache
def events(split: Split = "train", clips: int = 200) -> list[EventClip]:
    return ave.plan(split, clips, 7)


@cache
def labels(split: Split = "train", clips: int = 200) -> list[EventClip]:
    return llp.plan(split, clips, 7)


def test_one_event_of_two_seconds_or_more() -> None:
    for clip in events():
        event = clip.players[-1]
        both = [second for second, so in enumerate(event.both) if so]
        assert both == list(range(both[0], both[-1] + 1))
        assert len(both) >= SHORTEST
        others = [player for player in clip.players[:-1] if player.performer.instrument in ave.CATEGORIES]
        assert not any(any(player.both) for player in others)


def test_one_sense_does_not_tell_it() -> None:
    """In many seconds of background the event is seen, and in many it is heard."""
    found: Counter[tuple[bool, bool]] = Counter()
    for clip in events():
        event = clip.players[-1]
        found.update(zip(event.seen, event.heard, strict=True))
    background = found.total() - found[True, True]
    assert found[True, False] > background / 5
    assert found[False, True] > background / 5
    assert 0.4 < found[True, True] / found.total() < 0.7


def test_rows_say_when_it_is_seen_and_heard() -> None:
    for index, clip in enumerate(events()):
        category, name, quality, start, end = ave.row(clip, ave.name_of("train", index)).split("&")
        event = clip.players[-1]
        assert (category, quality) == (ave.CATEGORIES[event.performer.instrument], "good")
        assert event.both == tuple(int(start) <= second < int(end) for second in range(SECONDS))
        assert len(name) == 11
    assert {clip.players[-1].performer.instrument for clip in events()} == set(ave.CATEGORIES)


def test_labels_are_seen_and_heard_apart() -> None:
    sides: Counter[tuple[str, bool]] = Counter()
    for clip in labels():
        heard, seen = llp.labelled(clip, "audio"), llp.labelled(clip, "visual")
        assert heard or seen
        assert llp.SPEECH not in seen
        for label in {*heard, *seen} - {llp.SPEECH}:
            sides[label, label in heard and label in seen] += 1
    assert {label for label, _ in sides} == set(llp.LABELS.values())
    assert all(sides[label, False] > 10 and sides[label, True] > 10 for label in llp.LABELS.values())
    assert any(any(clip.speech) for clip in labels())


def test_a_clip_does_not_depend_on_how_many_there_are() -> None:
    assert ave.plan("val", 3, 7) == ave.plan("val", 9, 7)[:3]
    assert llp.plan("val", 3, 7) == llp.plan("val", 9, 7)[:3]
    assert ave.plan("val", 3, 7) != ave.plan("val", 3, 8)


@pytest.mark.parametrize("clips", [events, labels])
def test_pictures_show_who_is_seen(clips: object) -> None:
    """A second looks as another with the same instruments, and unlike one with others."""
    for clip in clips()[:4]:  # type: ignore[operator]
        by_sight: dict[tuple[bool, ...], np.ndarray] = {}
        for second in range(SECONDS):
            frame = draw_second(clip, second)
            seen = tuple(player.seen[second] for player in clip.players)
            assert (by_sight.setdefault(seen, frame) == frame).all()
        frames = list(by_sight.values())
        assert all((one != other).any() for i, one in enumerate(frames) for other in frames[:i])


def test_sound_is_there_when_something_is_heard() -> None:
    for clip in labels()[:6]:
        sound = render_event_sound(clip).astype(float).reshape(SECONDS, SAMPLE_RATE)
        assert (sound == render_event_sound(clip).reshape(SECONDS, SAMPLE_RATE)).all()
        loudness = np.sqrt((sound[:, SAMPLE_RATE // 10 : -SAMPLE_RATE // 10] ** 2).mean(1))
        heard = [clip.speech[s] or any(player.heard[s] for player in clip.players) for s in range(SECONDS)]
        quiet = loudness[~np.array(heard)]
        assert not quiet.size or quiet.max() < loudness[np.array(heard)].min()
