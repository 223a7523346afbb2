from __future__ import annotations

import json
import re
from pathlib import Path

import av
import pytest

from lstta_tasks.generate import media
from lstta_tasks.generate.avqa import generate_avqa, video_id
from lstta_tasks.generate.scene import Scene
from lstta_tasks.generate.vocabulary import ANSWERS

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
    report = generate_avqa(folder, **SIZES, seed=5, workers=1)
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


def test_a_second_run_reuses_and_the_first_can_be_resumed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = generate_avqa(root, **SIZES, seed=5, workers=1)
    assert (again.rendered, again.kept, again.samples) == (0, 6, {"train": 24, "val": 16, "test": 8})

    written = 0
    write_scene = media.write_scene

    def killed_at_the_third(path: Path, scene: Scene) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise KeyboardInterrupt
        write_scene(path, scene)

    monkeypatch.setattr(media, "write_scene", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        generate_avqa(tmp_path / "avqa", **SIZES, seed=5, workers=1)
    assert not (tmp_path / "avqa" / "generated.json").exists()
    resumed = generate_avqa(tmp_path / "avqa", **SIZES, seed=5, workers=1)
    assert (resumed.rendered, resumed.kept) == (4, 2)
    for file in root.rglob("*.*"):
        if file.name != "generated.json":
            assert (tmp_path / "avqa" / file.relative_to(root)).read_bytes() == file.read_bytes()


def test_other_arguments_are_refused(root: Path) -> None:
    with pytest.raises(ValueError, match=r"'seed': 5.*'seed': 6.*choose another folder"):
        generate_avqa(root, **SIZES, seed=6, workers=1)


def test_a_strangers_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and was not generated"):
        generate_avqa(tmp_path, **SIZES)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_several_processes_write_what_one_writes(root: Path, tmp_path: Path) -> None:
    generate_avqa(tmp_path / "avqa", **SIZES, seed=5, workers=2)
    name = f"videos/{video_id('test', 0)}.mp4"
    assert (tmp_path / "avqa" / name).read_bytes() == (root / name).read_bytes()
