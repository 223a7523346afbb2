from __future__ import annotations

import json
import re
from pathlib import Path

import av
import pytest

from lstta_world.generate import generate
from lstta_world.music_avqa import video_id
from lstta_world.vocabulary import ANSWERS

SIZES = {"train": 3, "val": 2, "test": 1}
# The fields of a row of the data set, in its order.
FIELDS = {
    "video_id": str,
    "question_id": int,
    "type": str,
    "question_content": str,
    "templ_values": str,
    "question_deleted": int,
    "anser": str,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "avqa"
    report = generate("avqa", folder, **SIZES, seed=5, workers=1)
    assert report.clips == SIZES
    assert (report.rendered, report.kept) == (6, 0)
    return folder


def rows(root: Path, split: str) -> list[dict[str, object]]:
    return json.loads((root / "json" / f"avqa-{split}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("split", SIZES)
def test_rows_are_in_the_layout_of_the_data_set(root: Path, split: str) -> None:
    table = rows(root, split)
    assert len(table) == 8 * SIZES[split]
    for row in table:
        assert {key: type(value) for key, value in row.items()} == FIELDS
        assert list(row) == list(FIELDS)
        modality, kind = json.loads(str(row["type"]))
        assert modality in ("Audio", "Visual", "Audio-Visual")
        assert kind in ("Counting", "Comparative", "Location", "Existential", "Temporal")
        values = json.loads(str(row["templ_values"]))
        assert len(values) == len(re.findall("<", str(row["question_content"])))
        assert row["anser"] in ANSWERS
        assert row["question_deleted"] == 0
        assert re.fullmatch(r"\d{8}", str(row["video_id"]))
        assert (root / "videos" / f"{row['video_id']}.mp4").is_file()


def test_ids_are_unique_and_clips_play(root: Path) -> None:
    table = [row for split in SIZES for row in rows(root, split)]
    assert len({row["question_id"] for row in table}) == len(table)
    videos = sorted((root / "videos").iterdir())
    assert len(videos) == 6
    with av.open(str(videos[0])) as container:
        assert container.duration == pytest.approx(8e6, rel=0.02)
        assert [s.type for s in container.streams] == ["video", "audio"]


def test_a_strangers_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and was not generated"):
        generate("avqa", tmp_path, **SIZES)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_several_processes_write_what_one_writes(root: Path, tmp_path: Path) -> None:
    generate("avqa", tmp_path / "avqa", **SIZES, seed=5, workers=2)
    name = f"videos/{video_id('test', 0)}.mp4"
    assert (tmp_path / "avqa" / name).read_bytes() == (root / name).read_bytes()
