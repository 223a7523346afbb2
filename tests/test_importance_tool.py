"""``lstta importances`` as a user starts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_world import World, videos

Tool = Callable[..., Any]


def test_tables_picture_and_numbers(tool: Tool, world: World, run: Path, tmp_path: Path) -> None:
    png, numbers = tmp_path / "new" / "importance.png", tmp_path / "other" / "importance.json"
    options = ("--split", "val", "--draws", "2", "--png", png, "--json", numbers)
    result = tool("importance", world.config, run / "best", *options)
    assert (result.code, png.read_bytes()[:4]) == (0, b"\x89PNG")
    assert "overall after removing segments: 15 all samples" in result.out
    written = json.loads(numbers.read_text())
    assert (written["split"], written["metric"], written["samples"]) == ("val", "overall", {"all samples": 15})
    by_chance = next(curve for curve in written["curves"]["all samples"] if curve["by"] == "chance")
    assert [len(values) for values in by_chance["values"]] == [3, 3]
    assert f"{by_chance['values'][0][0]:.3f}" in result.out


def test_a_data_set_in_one_table(tool: Tool, world: World, tmp_path: Path) -> None:
    """Which has no root folder where relevant seconds might be."""
    films = [(split, world.root / "videos" / f"{video}.mp4") for split in ("train", "val") for video in videos(split)]
    rows = [f"{film},{('left', 'right')[place % 2]},{split}" for place, (split, film) in enumerate(films)]
    table, config = tmp_path / "labels.csv", tmp_path / "table.py"
    table.write_text("\n".join(["video,label,split", *rows]))
    text = world.config.read_text().replace(str(world.cache), str(tmp_path / "cache"))
    config.write_text(text + f"task = dict(name='classification', path={str(table)!r})\ntrain_cfg['max_epochs'] = 1\n")
    for command in (["cache", "build", config], ["train", config, "--work-dir", tmp_path / "run"]):
        assert tool(*command).code == 0
    result = tool("importance", config, tmp_path / "run/best", "--split", "val", "--png", tmp_path / "importance.png")
    assert result.code == 0, result.err
    assert "accuracy after removing segments: 5 all samples" in result.out


def test_prefix_are_no_clips(tool: Tool, world: World, run: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert tool("cache", "prefix", world.config, "--cfg-options", f"clips.prefix={prefix}").code == 0
    result = tool("importance", world.config, run / "best", "--cfg-options", f"clips.prefix={prefix}")
    assert result.code == 2
    assert "leave clips.prefix out" in result.err
