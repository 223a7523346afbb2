"""The file of relevant seconds: a sample a line, by the ids of the data set's readers, with the numbers as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstta_world import meld, mosi, msrvtt, music_avqa, urfunny, violin
from lstta_world.generate import generate
from lstta_world.jokes import PUNCHLINE
from lstta_world.relevance import Relevant, relevant_to
from lstta_world.relevant_seconds import RELEVANT_SECONDS, RelevantSample, relevant_seconds_file
from lstta_world.splits import SPLITS, Split
from lstta_world.talk_truth import spoken

COUNTS: dict[Split, int] = {"train": 3, "val": 2, "test": 7}
SEED = 5


def entry(relevant: Relevant, **group: str) -> dict[str, object]:
    return {**group, "visual": [*map(list, relevant.visual)], "audio": [*map(list, relevant.audio)]}


def written(data_set: Any) -> dict[str, dict[str, Any]]:
    """Of each split, read back from the file's bytes."""
    content = json.loads(relevant_seconds_file(data_set.contents(COUNTS, SEED).relevant))
    assert (list(content), content["schema"], list(content["splits"])) == (["schema", "splits"], 1, list(SPLITS))
    return content["splits"]


def test_music_avqa() -> None:
    splits = written(music_avqa)
    for split, count in COUNTS.items():
        rows = {}
        for index, (scene, questions) in enumerate(music_avqa.plan(split, count, SEED)):
            for row, question in zip(music_avqa.question_rows(split, index, questions), questions, strict=True):
                group = "/".join(json.loads(str(row["type"])))
                rows[str(row["question_id"])] = entry(relevant_to(scene, question), group=group)
        assert splits[split] == rows
        assert any(row["audio"] for row in rows.values())


def test_mosi() -> None:
    test = written(mosi)["test"]
    assert list(test) == [*(f"c0000000/{i}" for i in range(5)), "c0000001/0", "c0000001/1"]
    for sample, talk in zip(test.values(), mosi.plan("test", 7, SEED), strict=True):
        assert sample == entry(Relevant([spoken(talk)], [spoken(talk)]))


def test_meld() -> None:
    utterances = meld.plan("val", 2, SEED)
    assert written(meld)["val"] == {
        f"dia{u.dialogue}_utt{u.number}": entry(Relevant([spoken(u.talk)], [spoken(u.talk)])) for u in utterances
    }


def test_urfunny() -> None:
    lines = [joke.film.spoken(PUNCHLINE) for joke in urfunny.plan("val", 2, SEED)]
    assert written(urfunny)["val"] == {
        "1000000": entry(Relevant([lines[0]], [lines[0]])),
        "1000001": entry(Relevant([lines[1]], [lines[1]])),
    }


def test_violin() -> None:
    """Both statements of a pair are about one who speaks."""
    val = written(violin)["val"]
    assert list(val)[:7] == [
        *(f"story_val_000000/{pair}/{kind}" for pair in range(3) for kind in ("real", "fake")),
        "story_val_000001/0/real",
    ]
    clip = violin.plan("val", 1, SEED)[0]
    for sample, fact in zip(list(val.values())[:6:2], clip.facts, strict=True):
        assert sample == entry(Relevant([clip.story.spoken(fact.shot)], [clip.story.spoken(fact.shot)]))


def test_msrvtt_where_nobody_knows() -> None:
    assert written(msrvtt) == {"train": {}, "val": {}, "test": {}}


def test_a_sample_a_line() -> None:
    samples = {'a "b"': RelevantSample(Relevant([(0.1 + 0.2, 4.0)], []), "kind"), "c": RelevantSample(Relevant([], []))}
    assert relevant_seconds_file({"train": {}, "val": samples, "test": {}}).decode().splitlines() == [
        '{"schema": 1, "splits": {',
        ' "train": {},',
        ' "val": {',
        '  "a \\"b\\"": {"group": "kind", "visual": [[0.30000000000000004, 4.0]], "audio": []},',
        '  "c": {"visual": [], "audio": []}},',
        ' "test": {}',
        "}}",
    ]


@pytest.mark.parametrize("name", ["avqa", "retrieval"])
def test_it_stands_beside_the_data_set(name: str, tmp_path: Path) -> None:
    generate(name, tmp_path, train=1, val=0, test=0, workers=1)
    splits = json.loads((tmp_path / RELEVANT_SECONDS).read_text(encoding="utf-8"))["splits"]
    assert len(splits["train"]) == (8 if name == "avqa" else 0)
