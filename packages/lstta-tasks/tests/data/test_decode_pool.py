"""Decoders are told and heard through standard pipes; none outlives its builder, and none is taken at a wrong word."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lstta_tasks.data import cores, decode_pool
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.cores import usable_cores
from lstta_tasks.data.decode_pool import decode_all

SETTINGS = Preprocessing(segments=2, frame_size=(3, 5), sample_rate=700, sound_seconds=0.1)

WORKER = """
import os, sys, time
from pathlib import Path
from lstta_tasks.data import decode_worker
def decode(source, preprocessing):
    os.write(1, b"a library's remark")
    print("another", flush=True)
    if source.id == "hangs":
        Path(source.video).with_suffix(".pid").write_text(str(os.getpid()))
        time.sleep(600)
    raise decode_worker.DecodeError(f"{source.id}: nothing in it")
decode_worker.decode_clip = decode
decode_worker.main()
"""

BUILDER = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parent))
from test_decode_pool import SETTINGS, WORKER, decode_pool, decode_all, ClipSource
decode_pool.command = lambda module: [sys.executable, "-c", WORKER]
list(decode_all([ClipSource("hangs", Path(sys.argv[2]))], SETTINGS, codec="raw", workers=1, time_limit=600.0))
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"?")
    return path


def test_what_libraries_print_is_no_answer(
    film: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decode_pool, "command", lambda module: [sys.executable, "-c", WORKER])
    sources = [ClipSource(str(number), film) for number in range(3)]
    done = list(decode_all(sources, SETTINGS, codec="raw", workers=2, time_limit=60.0))
    assert sorted(reason for _, reason in done) == [f"{number}: nothing in it" for number in range(3)]  # type: ignore[type-var]
    assert capfd.readouterr().err.count("a library's remark") == 3


def test_a_decoder_that_hangs_ends_with_a_builder_that_is_killed(film: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    builder = subprocess.Popen([sys.executable, "-c", BUILDER, __file__, str(film)], env=environment)
    note = film.with_suffix(".pid")
    while not (note.exists() and note.read_text()):
        assert builder.poll() is None
        time.sleep(0.05)
    decoder = int(note.read_text())
    builder.kill()
    builder.wait()
    while runs(decoder):
        time.sleep(0.05)


def runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, and nobody has asked how


def test_what_is_asked_for_is_what_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5})
    assert usable_cores() == 3
    monkeypatch.delattr(cores.os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert usable_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
