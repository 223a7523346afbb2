"""``lstta cache`` from a build in shards to pruning, on the small data set."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from small_world import World, videos

from lstta_tasks.data.cache import CacheReader

REPOSITORY = Path(__file__).parents[1]
Tool = Callable[..., Any]


@pytest.fixture
def here(world: World, tmp_path: Path) -> list[str]:
    """The options that put the cache into the test's own folder."""
    return ["--cfg-options", f"task.root={world.root}", f"clips.cache={tmp_path / 'cache'}"]


def test_shards_are_told_of_verified_and_pruned_as_one(
    tool: Tool, world: World, here: list[str], tmp_path: Path
) -> None:
    cache, skip = tmp_path / "cache", tmp_path / "skip.txt"
    first, *others = videos("val")
    skip.write_text(f"# does not look right\n{first}\n")
    for shard in ("0/2", "1/2"):
        assert tool("cache", "build", world.config, "--workers", 1, "--shard", shard, *here).code == 0
    everything = tool("cache", "info", cache)
    count = int(re.search(r": (\d+) clips, 0 failed", everything.out)[1])  # type: ignore[index]
    verified = tool("cache", "verify", cache)
    assert (verified.code, verified.out) == (0, f"{cache}: {count} clips read, 0 damaged\n")
    pruned = tool("cache", "prune", world.config, "--split", "val", "--skip", skip, *here)
    assert pruned.out == f"{cache}: {count - len(others)} clips removed\n"
    assert f"{cache}: {len(others)} clips, 0 failed" in tool("cache", "info", cache).out
    exported = tool("cache", "export", cache, others[0], "--out", tmp_path / "look")
    assert exported.code == 0
    assert {path.suffix for path in (tmp_path / "look").iterdir()} == {".png", ".wav"}


def test_clips_to_skip_are_counted(tool: Tool, world: World, here: list[str], tmp_path: Path) -> None:
    skip = tmp_path / "skip.txt"
    skip.write_text(f"{videos('val')[1]}\nno such clip\n")
    built = tool("cache", "build", world.config, "--split", "val", "--skip", skip, "--codec", "jpeg", *here)
    count = len(videos("val"))
    assert f"{count} clips, {count - 1} decoded now, 0 there already, 1 skipped, 0 failed" in built.out
    assert f"1 of the ids in {skip} name no clip of this config" in built.err
    assert "codec: jpeg" in tool("cache", "info", tmp_path / "cache").out
    missing = tool("cache", "build", world.config, "--skip", tmp_path / "none.txt", *here)
    assert missing.code == 2
    wanted = "no such file; a list of clip ids to leave out is wanted, one a line"
    assert missing.err == f"error: {tmp_path / 'none.txt'}: {wanted}\n"


def test_verify_names_the_damaged_clip_and_fails(tool: Tool, world: World, here: list[str], tmp_path: Path) -> None:
    tool("cache", "build", world.config, "--split", "val", *here)
    file = tmp_path / "cache" / "data.mdb"
    record = CacheReader(tmp_path / "cache").read_record(videos("val")[2])
    # LMDB keeps small records in pages that it copies: old copies may still lie about.
    file.write_bytes(file.read_bytes().replace(record, record[:-100] + bytes([record[-100] ^ 1]) + record[-99:]))
    verified = tool("cache", "verify", tmp_path / "cache")
    assert verified.code == 1
    assert "1 damaged" in verified.out
    assert verified.err == f"  {videos('val')[2]}: its checksum does not fit its content\n"


def test_a_terminal_sees_progress_with_rate_and_time_left(world: World, here: list[str]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    command = [sys.executable, "tools/cache.py", "build", str(world.config), "--workers", "1", *here]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=-1, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # at the end of a terminal
            while part := os.read(ours, 10_000):
                seen += part
        process.communicate()
    os.close(ours)
    assert process.returncode == 0, seen
    assert re.search(rb"\d+/\d+ \[\d\d:\d\d<\d\d:\d\d, +[\d.]+(clip/s|s/clip)\]", seen), seen


def test_the_verb_of_0_1_still_works(tool: Tool, world: World, tmp_path: Path) -> None:
    options = ["--cfg-options", f"clips.features={tmp_path / 'prefix'}", "model.adapted=1"]
    said = tool("cache", "features", world.config, *options)
    assert said.code == 0
    assert "lstta cache features is called lstta cache prefix now" in said.err
    assert "clips.features is called clips.prefix now" in said.err
    again = tool(
        "cache", "prefix", world.config, "--cfg-options", f"clips.prefix={tmp_path / 'prefix'}", "model.adapted=1"
    )
    assert " 0 states computed now" in again.out
