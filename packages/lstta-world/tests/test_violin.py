from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from pathlib import Path

import av
import pytest
from oracles import Row, accuracy_of_table

from lstta_world import talk_truth
from lstta_world.film import Film
from lstta_world.generate import generate
from lstta_world.opinions import QUALITIES, polarity
from lstta_world.talk import Talk
from lstta_world.violin import StatedClip, plan, texts

SIZES = {"train": 2, "val": 1, "test": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "violin"
    assert generate("inference", folder, **SIZES, seed=5, workers=1).samples == {"train": 12, "val": 6, "test": 6}
    return folder


def test_the_file_is_in_the_layout_of_the_data_set(root: Path) -> None:
    clips = json.loads((root / "violin_annotation.json").read_text(encoding="utf-8"))
    assert [clip["split"] for clip in clips.values()] == ["train", "train", "validate", "test"]
    for name, clip in clips.items():
        assert set(clip) == {"file", "source", "span", "statement", "sub", "split"}
        assert clip["file"] == name
        assert [len(pair) for pair in clip["statement"]] == [2, 2, 2]
        for text, (start, end) in clip["sub"]:
            assert isinstance(text, str)
            assert 0 <= start < end <= 8000
            assert isinstance(start, int)
        with av.open(str(root / "videos" / f"{clip['file']}.mp4")) as container:
            assert clip["span"] == [0, pytest.approx(container.duration / 1e6, rel=0.02)]


def speaker(story: Film, statement: str) -> Talk:
    """The one who speaks of what the statement is about."""
    thing = re.fullmatch(r"The (.*) was (?:not )?\w+\.", statement)
    assert thing is not None, statement
    (talk,) = (talk for talk in story.shots if re.search(rf"\bthe {thing[1]}\b", talk.line, re.IGNORECASE))
    return talk


def praises(statement: str) -> bool:
    """Whether a statement says something good, read from its words."""
    last = statement.removesuffix(".").split()[-1]
    return (last in {*QUALITIES[1], *QUALITIES[2]}) != (" not " in statement)


def test_the_first_of_a_pair_is_true_and_the_second_false() -> None:
    for split in ("train", "test"):
        for clip in plan(split, 307, 3):  # type: ignore[arg-type]
            for fact in clip.facts:
                true, false = fact.statements
                assert speaker(clip.story, true) is speaker(clip.story, false) is clip.story.shots[fact.shot]
                talk = speaker(clip.story, true)
                shown = {talk_truth.expression(talk), talk.tone.contour}
                assert praises(true) == bool(shown & {"smile", "rising"})
                assert praises(false) == bool(shown & {"frown", "falling"})
            assert len({text for fact in clip.facts for text in fact.statements}) == 6
            assert {fact.shot for fact in clip.facts} == {0, 1}


Sense = Callable[[Talk], Hashable]
MODALITIES: dict[str, Sense] = {
    "sight": lambda talk: talk_truth.expression(talk),
    "sound": lambda talk: talk.tone,
}


def rows(clips: list[StatedClip], sense: Sense, *, in_time: bool = True) -> list[Row]:
    """Of every statement: what it says, and what is known of the one whom it means, or of both in no order."""
    return [
        (
            (praises(text), sense(speaker(clip.story, text)) if in_time else frozenset(map(sense, clip.story.shots))),
            real,
        )
        for clip in clips
        for fact in clip.facts
        for text, real in zip(fact.statements, (True, False), strict=True)
    ]


def test_sight_or_sound_alone_decides_less_and_both_need_the_subtitles() -> None:
    train, test = plan("train", 1009, 0), plan("test", 503, 0)
    for name, sense in MODALITIES.items():
        assert accuracy_of_table(rows(train, sense), rows(test, sense)) == pytest.approx(5 / 6, abs=0.03), name
        without = accuracy_of_table(rows(train, sense, in_time=False), rows(test, sense, in_time=False))
        assert without < 0.83, name
    both: Sense = lambda talk: (talk_truth.expression(talk), talk.tone.contour)  # noqa: E731
    assert accuracy_of_table(rows(train, both), rows(test, both)) == 1
    # Without the times of the subtitles nobody knows which face and voice belong to the thing.
    assert accuracy_of_table(rows(train, both, in_time=False), rows(test, both, in_time=False)) < 0.9


def test_lines_tell_no_opinion() -> None:
    assert {polarity(talk.line) for clip in plan("train", 53, 0) for talk in clip.story.shots} == {0}


def test_the_statement_alone_tells_nothing() -> None:
    train, test = plan("train", 1009, 0), plan("test", 503, 0)
    assert 0.46 <= accuracy_of_table(rows(train, lambda _: 0), rows(test, lambda _: 0)) <= 0.54


def test_subtitles_are_on_the_screen_while_they_are_said() -> None:
    for clip in plan("train", 53, 0):
        for shot, talk in enumerate(clip.story.shots):
            start, end = (time - 4 * shot for time in clip.story.spoken(shot))
            assert talk.words[0].onset == pytest.approx(start)
            assert talk.words[-1].onset + talk.words[-1].duration == pytest.approx(end)


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    clip = plan("val", 1, 5)[0]
    assert texts("val", 1, 5) == [
        *(talk.line for talk in clip.story.shots),
        *(statement for fact in clip.facts for statement in fact.statements),
    ]
