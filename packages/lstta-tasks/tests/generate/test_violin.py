from __future__ import annotations

import json
import re
from collections.abc import Hashable
from pathlib import Path

import av
import pytest
from oracles import Row, accuracy_of_table

from lstta_tasks.generate import truth
from lstta_tasks.generate.narration import Story
from lstta_tasks.generate.reference import kind_of
from lstta_tasks.generate.scene import INSTRUMENTS
from lstta_tasks.generate.violin import StatedClip, generate_violin, plan, texts

SIZES = {"train": 2, "val": 1, "test": 1}
PLACES = {"on the left": "left", "in the middle": "middle", "on the right": "right"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "violin"
    assert generate_violin(folder, **SIZES, seed=5, workers=1).samples == {"train": 12, "val": 6, "test": 6}
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


def holds(story: Story, statement: str) -> bool:
    """Whether a statement is true: read from its words, and from the notes, without the generator's facts."""
    scene = story.scene
    place = next((PLACES[words] for words in PLACES if words in statement), None)
    at_place = {position: kind for kind, position in truth.visible(scene)}
    if quoted := re.search('"(.*)"', statement):
        line = next(line for line in story.lines if line.text == quoted[1])
        (kind,) = truth.sounding(scene, *line.span)
        unquoted = statement.replace(quoted[0], "")
        return kind == at_place[place] if place else re.findall("|".join(INSTRUMENTS), unquoted) == [kind]
    if "narrator" in statement:
        said = " ".join(line.text for line in story.lines)
        return re.findall("|".join(INSTRUMENTS), said) == [at_place[place]]
    order = [kind_of(scene, i) for i in truth.heard(scene)]
    return order[0 if "first" in statement else -1] == at_place[place]


def test_the_first_of_a_pair_is_true_and_the_second_false() -> None:
    for split in ("train", "test"):
        for clip in plan(split, 307, 3):  # type: ignore[arg-type]
            for _, (true, false) in clip.pairs:
                assert holds(clip.story, true), true
                assert not holds(clip.story, false), false
            assert len({pair for _, pair in clip.pairs}) == 3


def rows(clips: list[StatedClip], modality: str) -> list[Row]:
    """What one modality, and the statement, know of each statement."""
    result: list[Row] = []
    for clip in clips:
        scene, lines = clip.story.scene, clip.story.lines
        seen, heard = truth.visible(scene), [kind_of(scene, i) for i in truth.heard(scene)]
        for fact, pair in clip.pairs:
            for told, statement in zip((True, False), pair, strict=True):
                unquoted = re.sub('".*"', "", statement)
                kinds = re.findall("|".join(INSTRUMENTS), unquoted)
                place = next((PLACES[words] for words in PLACES if words in unquoted), None)
                known: Hashable
                if modality == "statement":
                    known = statement
                elif modality == "subtitles":
                    said = [line.text for line in lines]
                    act = said.index(fact.given) if fact.given in said else fact.given
                    known = (
                        len(lines),
                        act,
                        [line.names for line in lines].index(*{line.names for line in lines} - {None}),
                        bool(kinds) and kinds[0] in fact.given,
                    )
                elif modality == "sight":
                    moved = [truth.motions(scene, i)[0].onset for i in truth.visible_performers(scene)]
                    known = (len(seen), bool(kinds) and kinds[0] in dict(seen), moved == sorted(moved))
                else:
                    known = (
                        tuple(i for i, kind in enumerate(heard) if kind in kinds),
                        len(heard),
                        fact.given in ("first", "last"),
                    )
                result.append(((fact.kind, place, known), told))
    return result


def test_one_modality_alone_decides_nothing() -> None:
    train, test = plan("train", 1009, 0), plan("test", 503, 0)
    for modality in ("statement", "subtitles", "sight", "sound"):
        accuracy = accuracy_of_table(rows(train, modality), rows(test, modality))
        assert 0.44 <= accuracy <= 0.56, modality


def test_the_four_kinds_of_facts_come_evenly() -> None:
    kinds = [fact.kind for clip in plan("train", 503, 0) for fact, _ in clip.pairs]
    assert {kind: round(kinds.count(kind) / len(kinds), 1) for kind in sorted(set(kinds))} == {
        "named": pytest.approx(0.25, abs=0.06),
        "ordered": pytest.approx(0.25, abs=0.06),
        "placed": pytest.approx(0.25, abs=0.06),
        "said": pytest.approx(0.25, abs=0.06),
    }


def test_the_narrator_speaks_where_there_are_subtitles() -> None:
    for clip in plan("train", 53, 0):
        for line in clip.story.lines:
            start, end = line.span
            assert truth.speaking(clip.story.scene, start, end, least=0.8 * (end - start))
        assert sum(line.names is not None for line in clip.story.lines) == 1


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)
    clip = plan("val", 1, 5)[0]
    assert texts("val", 1, 5) == [
        *(line.text for line in clip.story.lines),
        *(statement for _, pair in clip.pairs for statement in pair),
    ]
