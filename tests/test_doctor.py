"""``lstta doctor`` on a data set that is whole, and on one that is damaged in every way that it looks for."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_world import World, rows, videos, write_film, write_json

from lstta_world.film_files import write_mp4

Tool = Callable[..., Any]


def diagnosis(tool: Tool, world: World, root: Path, folder: Path, *options: str) -> tuple[Any, dict[str, Any], str]:
    """What the tool did, its JSON and its list."""
    files = folder / "found.json", folder / "lists" / "skip.txt"
    result = tool(
        "doctor", world.config, "--json", files[0], "--skip", files[1], *options, "--cfg-options", f"task.root={root}"
    )
    return result, json.loads(files[0].read_text(encoding="utf-8")), files[1].read_text(encoding="utf-8")


def test_a_whole_data_set(tool: Tool, world: World, tmp_path: Path) -> None:
    result, found, skip = diagnosis(tool, world, world.root, tmp_path)
    assert (result.code, found["errors"], found["warnings"], found["findings"]) == (0, 0, 0, [])
    assert "errors: 0, warnings: 0" in result.out
    assert {split: (facts["samples"], facts["clips"]) for split, facts in found["splits"].items()} == {
        "train": (21, 7),
        "val": (15, 5),
        "test": (9, 3),
    }
    assert found["labels"]["train"] == {"yes": 7, "loud": 4, "dark": 4, "soft": 3, "bright": 3}
    assert [line for line in skip.splitlines() if not line.startswith("#")] == []
    assert "not decoded" in result.out
    assert not found["decoded"]


def test_damage_in_the_middle_is_found_by_decoding(tool: Tool, world: World, tmp_path: Path) -> None:
    root = tmp_path / "middle"
    shutil.copytree(world.root, root)
    film = root / "videos" / f"{videos('train')[0]}.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (60, 32, 48, 3), dtype=np.uint8)
    write_mp4(film, list(noise), np.full(8_000, 900, np.int16), 60, 8_000)
    content = bytearray(film.read_bytes())
    middle = (content.index(b"mdat") + content.index(b"moov")) // 2
    content[middle : middle + 2_000] = bytes(2_000)
    film.write_bytes(content)
    for options, lost in (((), []), (("--decode", "--workers", "1"), [film.stem])):
        result, found, _ = diagnosis(tool, world, root, tmp_path, *options)
        assert list(found["unusable"]) == lost
        assert found["decoded"] == bool(options)
        assert ("Every clip was decoded" in result.out) == bool(options)


@pytest.fixture
def damaged(world: World, tmp_path: Path) -> Path:
    """A copy in which every film and every question is wrong in its own way, but for a few."""
    root = tmp_path / "damaged"
    shutil.copytree(world.root, root)
    films = root / "videos"
    gone, empty, text, mute, silent, long, fine = videos("train")
    (films / f"{gone}.mp4").unlink()
    (films / f"{empty}.mp4").write_bytes(b"")
    (films / f"{text}.mp4").write_text("<html>404</html>")
    write_film(films / f"{mute}.mp4", sound=False)
    pictures = [np.zeros((32, 48, 3), np.uint8)] * 4
    write_mp4(films / f"{silent}.mp4", pictures, np.zeros(8000, np.int16), 4, 8000)
    write_mp4(films / f"{long}.mp4", pictures * 10, np.full(80_000, 900, np.int16), 4, 8000)

    train, val = rows("train"), rows("val")
    train.append({**train[-1], "question_id": 7, "anser": "no"})  # the film called fine, asked again
    train.append({**train[-2], "question_id": 8})
    val[0] |= {"anser": "never heard of"}
    val[1] |= {"video_id": fine}
    val[2] |= {"video_id": "nowhere"}
    val[4] |= {"question_content": "Is it <LL> " + "very " * 100 + "bright?"}
    write_json(root / "avqa-train.json", train)
    write_json(root / "avqa-val.json", val)
    (root / "avqa-test.json").write_text("[{]")
    return root


def test_a_damaged_data_set(tool: Tool, world: World, damaged: Path, tmp_path: Path) -> None:
    result, found, skip = diagnosis(tool, world, damaged, tmp_path)
    assert result.code == 1
    gone, empty, text, mute, silent, long, fine = videos("train")
    told = {(f["level"], f["check"], f["split"], f["id"]) for f in found["findings"]}
    assert told == {
        ("error", "missing", "train", gone),
        ("error", "missing", "train", empty),
        ("error", "unreadable", "train", text),
        ("error", "missing", "val", "nowhere"),
        ("error", "shared clip", "val", fine),
        ("error", "bad annotations", "test", ""),
        ("warning", "no sound", "train", mute),
        ("warning", "silent", "train", silent),
        ("warning", "very long", "train", long),
        ("warning", "contradiction", "train", "7"),
        ("warning", "repeated", "train", "8"),
        ("warning", "outside the vocabulary", "val", str(int(videos("val")[0]) * 10)),
        ("warning", "text cut off", "val", str(int(videos("val")[1]) * 10 + 1)),
    }
    assert (found["errors"], found["warnings"]) == (6, 7)
    assert f"errors: {found['errors']}, warnings: {found['warnings']}" in result.out
    assert set(found["splits"]) == {"train", "val"}
    assert [line for line in skip.splitlines() if not line.startswith("#")] == [gone, empty, text, "nowhere"]
    assert f"\n#{long}\n" in skip
    counts = Counter(f["check"] for f in found["findings"])
    for check, count in counts.items():
        assert check in result.out, (check, count)


def test_splits_that_are_named(tool: Tool, world: World, damaged: Path, tmp_path: Path) -> None:
    result, found, _ = diagnosis(tool, world, damaged, tmp_path, "--split", "val")
    assert set(found["splits"]) == {"val"}
    assert {f["split"] for f in found["findings"]} == {"val"}
    assert result.code == 1


def test_splits_that_are_not_there(tool: Tool, world: World, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(world.root, root)
    (root / "avqa-test.json").unlink()
    result, found, _ = diagnosis(tool, world, root, tmp_path)
    assert (result.code, [(f["level"], f["check"]) for f in found["findings"]]) == (0, [("warning", "no annotations")])
    result, found, _ = diagnosis(tool, world, root, tmp_path, "--split", "test")
    assert (result.code, [(f["level"], f["check"]) for f in found["findings"]]) == (1, [("error", "no annotations")])
    (root / "avqa-val.json").unlink()
    assert diagnosis(tool, world, root, tmp_path)[0].code == 1
    result, found, _ = diagnosis(tool, world, tmp_path / "nowhere", tmp_path)
    assert (result.code, found["errors"]) == (1, 2)
    assert f"{tmp_path / 'nowhere'}: no such folder" in found["findings"][0]["detail"]
