"""MUSIC-AVQA's own files: real questions, a real film under a few of their ids, everything else missing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of

SHARED = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[2] / "shared"))
QUESTIONS, FILM = SHARED / "data/music-avqa/avqa-val.json", SHARED / "media/bigbuckbunny.mp4"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (QUESTIONS.is_file() and FILM.is_file()), reason="LSTTA_SHARED has no MUSIC-AVQA"),
]


def test_the_cache_builds_and_an_adapter_is_evaluated(tool: Callable[..., Any], world: World, tmp_path: Path) -> None:
    root, cache = tmp_path / "music-avqa", tmp_path / "cache"
    (root / "videos").mkdir(parents=True)
    shutil.copy(QUESTIONS, root)
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    ids = sorted({question["video_id"] for question in questions})
    there = ids[::1700]
    for video in there:
        shutil.copy(FILM, root / "videos" / f"{video}.mp4")
    pairs = [f"task.root={root}", f"clips.cache={cache}"]

    built = tool("cache", "build", world.config, "--split", "val", "--workers", 1, "--cfg-options", *pairs)
    assert built.code == 0, built.err
    assert f"{cache}: 3,815 clips, {len(there)} decoded now, 0 there already, {3815 - len(there):,} failed" in built.out
    info = tool("cache", "info", cache)
    listed = {line.split(":")[0].strip() for line in info.err.splitlines()}
    assert listed == set(ids) - set(there)

    answers = sorted({question["anser"] for question in questions})
    options = {"task.root": str(root), "clips.cache": str(cache)}
    experiment = Experiment(load_config(world.config, {**options, "task.answers": answers}))
    adapter = tmp_path / "adapter"
    save_adapter(
        adapter,
        trained_tensors(experiment.model, experiment.model.frozen()),
        card(record_of(experiment), experiment.model),
    )
    tested = tool(
        "test", world.config, adapter, "--split", "val", "--json", tmp_path / "v.json", "--cfg-options", *pairs
    )
    assert tested.code == 0, tested.err
    details = json.loads((tmp_path / "v.json").read_text())
    asked = [question for question in questions if question["video_id"] in there]
    assert details["samples"] == len(details["predictions"]) == len(asked) > 0
    assert sorted(details["missing_clips"]) == sorted(set(ids) - set(there))
    assert details["scores"][-1]["count"] == len(asked)
    assert f"{3815 - len(there)} clips are not in the cache" in " ".join(tested.out.split())
