"""Shards of a prefix cache are together what one build makes, and texts have one length in all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_world import World

from lstta_core.interfaces import Modality
from lstta_tasks.data.cache import CacheError, open_cache
from lstta_tasks.data.cache_layout import DATA_FILE
from lstta_tasks.data.cache_shards import CacheSet, shard_folder
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import build_prefix, prefix_shards

PARTS = 3


def experiment(config: Path, prefix: Path, **options: Any) -> Experiment:
    torch.manual_seed(0)
    return Experiment(load_config(config, {"model.adapted": 1, "clips.prefix": str(prefix), **options}))


@pytest.fixture(scope="module")
def parts(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prefix") / "parts"
    for index in range(PARTS):
        with pytest.raises(CacheError, match=r"there is no|lacks"):
            _ = experiment(world.config, path).prefix.reader
        report = build_prefix(experiment(world.config, path), shard=(index, PARTS))
        assert report.path == shard_folder(path, index, PARTS)
        assert report.built > 0
    return path


def test_together_they_are_the_whole(world: World, parts: Path, tmp_path: Path) -> None:
    report = build_prefix(experiment(world.config, tmp_path / "whole"))
    whole, together = open_cache(tmp_path / "whole"), open_cache(parts)
    assert isinstance(together, CacheSet)
    assert together.meta == whole.meta
    assert len(together) == len(whole) == report.built + 3
    one, other = (experiment(world.config, path) for path in (parts, tmp_path / "whole"))
    samples = zip(one.dataset("val"), other.dataset("val"), strict=True)
    for (_, states), (_, wanted) in samples:
        for m in Modality:
            assert torch.equal(states[m][0].state.tokens, wanted[m][0].state.tokens)
    first, second = (
        one.model.eval()(next(iter(each.loader("val", each.dataset("val"))))["inputs"]).output for each in (one, other)
    )
    assert torch.equal(first, second)


def test_a_whole_build_and_other_shards_are_refused(world: World, parts: Path) -> None:
    with pytest.raises(CacheError, match="is built in 3 shards: pass one of them"):
        build_prefix(experiment(world.config, parts))
    with pytest.raises(CacheError, match="is built in 3 shards, not in 2"):
        build_prefix(experiment(world.config, parts), shard=(0, 2))
    with pytest.raises(ValueError, match="shard 3/3: the first number must be from 0 to 2"):
        build_prefix(experiment(world.config, parts), shard=(3, 3))
    with pytest.raises(CacheError, match=r"is a prefix cache: clips.cache wants one of clips"):
        _ = experiment(world.config, parts, **{"clips.cache": str(parts)}).cache


def longer(world: World, folder: Path, words: int) -> Path:
    """A data set with a question of so many words, and a config for it."""
    shutil.copytree(world.root, folder / "data")
    path = folder / "data" / "avqa-val.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[0]["question_content"] += " why" * words
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path.parent


def test_what_is_there_says_how_long_texts_are(world: World, parts: Path, tmp_path: Path) -> None:
    root = {"task.root": str(longer(world, tmp_path, 30))}
    path = tmp_path / "parts"
    first = build_prefix(experiment(world.config, path, **root), shard=(0, PARTS))
    lengths = {part.length for part in prefix_shards(experiment(world.config, path), None, PARTS)}
    assert len(lengths) == 1
    assert lengths != {part.length for part in prefix_shards(experiment(world.config, parts), None, PARTS)}
    with pytest.raises(CacheError, match=r"pads texts to .* ids, the longest has"):
        build_prefix(experiment(world.config, parts, **root), shard=(0, PARTS))
    for index in (1, 2):  # of a build whose texts were shorter
        shutil.copytree(shard_folder(parts, index, PARTS), shard_folder(path, index, PARTS))
    with pytest.raises(
        CacheError, match=r"pad texts to other lengths, shard-0-of-3 to \d+ ids and shard-1-of-3 to \d+"
    ):
        _ = experiment(world.config, path).prefix.reader
    assert (first.path / DATA_FILE).exists()
