"""On two Ray nodes caches are what one machine makes, and neither a killed worker nor a lost node changes that."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ray_nodes import kill_one_at_work_on, two_nodes, until
from small_world import World, write_film

from lstta_tasks.cli.main import main
from lstta_tasks.cluster.caches import build_cache_on, build_prefix_on
from lstta_tasks.cluster.on_ray import connected
from lstta_tasks.data.build_cache import BuildReport, build_cache
from lstta_tasks.data.cache import CacheError, open_cache
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.verify_cache import damage_in
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import build_prefix

pytest.importorskip("ray", reason="lstta-tasks[ray]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SETTINGS = Preprocessing(segments=2, frames_per_segment=3, frame_size=(5, 7), sample_rate=1_100, sound_seconds=0.5)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with two_nodes() as found:
        yield found


@pytest.fixture(scope="module")
def address(nodes: Any) -> str:
    return str(nodes[0].address)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSource]:
    film = tmp_path_factory.mktemp("film") / "film.mp4"
    write_film(film)
    return [ClipSource(f"clip{i}", film, start=0.0, end=1 - i / 1000) for i in range(300)]


@pytest.fixture(scope="module")
def alone(sources: list[ClipSource], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of what this machine builds without Ray."""
    path = tmp_path_factory.mktemp("alone") / "cache"
    build_cache(path, sources, SETTINGS, workers=1)
    return open_cache(path).digest()


def in_background(work: Any) -> tuple[threading.Thread, list[Any]]:
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
    thread.start()
    return thread, done


def test_the_command_builds_both_caches_as_one_machine_does(
    world: World, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, prefix = tmp_path / "clips", tmp_path / "prefix"
    options = ["--cfg-options", f"clips.cache={cache}", f"clips.prefix={prefix}", "model.adapted=1"]
    main(["cache", "build", str(world.config), "--ray", address, "--shards", "3", *options])
    assert re.search(r"15 clips, 15 decoded now, 0 there already, 0 failed", capsys.readouterr().out)
    clips = open_cache(cache)
    assert isinstance(clips, CacheSet)
    assert len(clips.readers) == 3
    assert clips.digest() == open_cache(world.cache).digest()

    main(["cache", "prefix", str(world.config), "--ray", address, *options])
    torch.set_num_threads(1)
    given = {"model.adapted": 1, "clips.prefix": str(tmp_path / "alone")}
    report = build_prefix(Experiment(load_config(world.config, given)))
    assert f"{report.built} states computed now, 0 there already" in capsys.readouterr().out
    states = open_cache(prefix)
    assert isinstance(states, CacheSet)
    assert len(states.readers) == 8  # four a core
    assert states.digest() == open_cache(tmp_path / "alone").digest()

    main(["cache", "prefix", str(world.config), "--ray", address, *options])
    assert f"0 states computed now, {report.built} there already" in capsys.readouterr().out


def test_a_killed_worker_costs_its_shard_and_no_more(
    sources: list[ClipSource], alone: str, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "killed-clips"
    with connected(address) as cluster:
        thread, done = in_background(lambda: build_cache_on(cluster, path, sources, SETTINGS, shards=5))
        until(lambda: any(path.glob("shard-*.partial/data.mdb")))
        assert until(lambda: kill_one_at_work_on(path.name))
        until(lambda: any(path.glob("shard-?-of-5/data.mdb")))
        assert until(lambda: kill_one_at_work_on(path.name))
        thread.join()
    (report,) = done
    assert isinstance(report, BuildReport)
    assert (report.total, report.failed) == (300, {})
    assert report.reused < 300  # what a killed worker had kept was not decoded again
    assert open_cache(path).digest() == alone
    assert damage_in(open_cache(path)) == {}
    assert not list(path.glob("*.partial"))


def test_of_a_prefix_too_and_a_node_may_go(world: World, nodes: Any, tmp_path: Path) -> None:
    """After it there is one node: it does not come back."""
    cluster_of_nodes, second = nodes
    config = tmp_path / "slow.py"
    text = world.config.read_text(encoding="utf-8")
    slow = text.replace("language, visual\n", "language\nfrom slow_encoders import visual\n")
    config.write_text(slow, encoding="utf-8")
    path = tmp_path / "killed-states"
    options = {"model.adapted": 1, "clips.prefix": str(path)}
    with connected(cluster_of_nodes.address) as cluster:
        assert cluster.cores == 2
        thread, done = in_background(lambda: build_prefix_on(cluster, str(config), options, shards=3))
        until(lambda: len(list(path.glob("shard-*.partial/data.mdb"))) == 2)
        assert until(lambda: kill_one_at_work_on(path.name))
        until(lambda: len(list(path.glob("shard-*.partial/data.mdb"))) == 2)
        cluster_of_nodes.remove_node(second, allow_graceful=False)
        thread.join()
        assert done, "the build ended with an error"
    torch.set_num_threads(1)
    given = {"model.adapted": 1, "clips.prefix": str(tmp_path / "alone")}
    build_prefix(Experiment(load_config(world.config, given)))
    assert open_cache(path).digest() == open_cache(tmp_path / "alone").digest()
    assert not list(path.glob("*.partial"))


def test_what_cannot_be_built_is_told_in_one_error(sources: list[ClipSource], address: str, tmp_path: Path) -> None:
    path = tmp_path / "cache"
    (path / "shard-1-of-2").mkdir(parents=True)
    (path / "shard-1-of-2" / "notes.txt").touch()
    with connected(address) as cluster:
        with pytest.raises(CacheError, match=r"1 of 2 shards could not be built, such as shard-1-of-2: .* is no cache"):
            build_cache_on(cluster, path, sources[:20], SETTINGS)
        with pytest.raises(ValueError, match="a shard wants 3 cores, the largest node of the Ray cluster has 1"):
            build_cache_on(cluster, path, sources[:20], SETTINGS, workers=3)
    with (
        pytest.raises(ValueError, match=r"--ray 127.0.0.1:9: no Ray cluster can be used there"),
        connected("127.0.0.1:9"),
    ):
        pass
