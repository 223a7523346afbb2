from __future__ import annotations

import csv
import json
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from lstta_world import truth
from lstta_world.captions import describe
from lstta_world.generate import generate
from lstta_world.msrvtt import CaptionedClip, plan, texts
from lstta_world.reference import kind_of

SIZES = {"train": 3, "val": 2, "test": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "msrvtt"
    report = generate("retrieval", folder, **SIZES, seed=5, workers=1)
    assert report.samples == {"train": 15, "val": 10, "test": 2}
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_files_are_in_the_layout_of_the_data_set(root: Path) -> None:
    data = json.loads((root / "MSRVTT_data.json").read_text(encoding="utf-8"))
    assert set(data) == {"info", "videos", "sentences"}
    for video in data["videos"]:
        assert set(video) == {"id", "video_id", "category", "url", "start time", "end time", "split"}
        assert (root / "videos" / "all" / f"{video['video_id']}.mp4").is_file()
    assert [video["split"] for video in data["videos"]] == ["train"] * 3 + ["validate"] * 2 + ["test"] * 2
    assert all(set(sentence) == {"caption", "sen_id", "video_id"} for sentence in data["sentences"])
    assert [sentence["sen_id"] for sentence in data["sentences"]] == list(range(27))

    train = [row["video_id"] for row in table(root / "MSRVTT_train.9k.csv")]
    val = [row["video_id"] for row in table(root / "MSRVTT_val.csv")]
    test = table(root / "MSRVTT_JSFUSION_test.csv")
    assert [video["video_id"] for video in data["videos"]] == [*train, *val, *(row["video_id"] for row in test)]
    assert len({*train, *val, *(row["video_id"] for row in test)}) == 7
    for number, row in enumerate(test):
        assert list(row) == ["key", "vid_key", "video_id", "sentence"]
        assert row["key"] == f"ret{number}"
        assert row["vid_key"].replace("msr", "video") == row["video_id"]
        assert [s["caption"] for s in data["sentences"] if s["video_id"] == row["video_id"]] == [row["sentence"]]


def recall(clips: list[CaptionedClip], seen_of: Callable[[CaptionedClip], Hashable]) -> float:
    """The expected R@1 of whoever can tell clips apart only by what they see of them."""
    alike: dict[Hashable, int] = {}
    for clip in clips:
        alike[seen_of(clip)] = alike.get(seen_of(clip), 0) + 1
    return len(alike) / len(clips)


def test_neither_eyes_nor_ears_alone_find_a_clip() -> None:
    clips = plan("test", 304, 0)
    assert recall(clips, lambda clip: describe(clip.scene)) == 1
    assert recall(clips, lambda clip: describe(clip.scene).sight) <= 0.26
    assert recall(clips, lambda clip: describe(clip.scene).sound) <= 0.26


def test_watching_who_moves_first_helps_little() -> None:
    """Eyes that also believe that whoever is heard moves in the order of the sentence."""
    clips = plan("test", 304, 0)
    expected = 0.0
    for clip in clips:
        description = describe(clip.scene)
        seen = [kind for kind in description.sound.order if kind in dict(description.sight.seen)]
        fits = []
        for other in clips:
            if describe(other.scene).sight == description.sight:
                starts = {
                    kind_of(other.scene, i): truth.motions(other.scene, i)[0].onset
                    for i in truth.visible_performers(other.scene)
                }
                fits.append((other is clip, [starts[kind] for kind in seen] == sorted(starts[kind] for kind in seen)))
        assert (True, True) in fits
        expected += 1 / sum(fit for _, fit in fits)
    assert expected / len(clips) <= 0.45


def test_plans_repeat_and_do_not_depend_on_their_length() -> None:
    assert plan("train", 37, 5)[:17] == plan("train", 17, 5)
    assert plan("train", 5, 5) != plan("train", 5, 6)
    assert texts("val", 2, 5) == [sentence for clip in plan("val", 2, 5) for sentence in clip.captions]
