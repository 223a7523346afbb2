"""A lock is had by one process at a time, and by nobody once that has ended, however it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, SoftFileLock

from lstta_tasks import file_lock
from lstta_tasks.file_lock import lock_beside

HOLD = """
import sys, time
from pathlib import Path
from lstta_tasks.file_lock import lock_beside
with lock_beside(Path(sys.argv[1])) as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that has the lock, until its standard input is closed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], text=True, env=environment, stdin=-1, stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_has_it_at_a_time(tmp_path: Path) -> None:
    with lock_beside(tmp_path / "new" / "path") as alone, lock_beside(tmp_path / "new" / "path") as second:
        assert (alone, second) == (True, False)
        with lock_beside(tmp_path / "new" / "other") as other:
            assert other
    with lock_beside(tmp_path / "new" / "path") as again:
        assert again


def test_a_killed_process_loses_it_at_once(tmp_path: Path) -> None:
    process = hold(tmp_path / "path")
    with lock_beside(tmp_path / "path") as alone:
        assert not alone
    process.kill()
    process.wait()
    with lock_beside(tmp_path / "path") as alone:
        assert alone


def test_who_waits_gets_it_next(tmp_path: Path) -> None:
    process = hold(tmp_path / "path")
    assert process.stdin is not None
    process.stdin.close()
    with lock_beside(tmp_path / "path", wait=True) as alone:
        assert alone
    process.wait()


def test_what_is_raised_inside_comes_out_and_gives_it_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock_beside(tmp_path / "path"):
        _ = 1 / 0
    with lock_beside(tmp_path / "path") as alone:
        assert alone


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There filelock makes do with a file's being there, which a killed process would leave."""

    class NoLocks(FileLock):
        def _acquire(self) -> None:
            self.__class__ = SoftFileLock
            self._acquire()

    monkeypatch.setattr(file_lock, "FileLock", NoLocks)
    with pytest.raises(OSError, match="without locks"), lock_beside(tmp_path / "path"):
        pass
    assert not list(tmp_path.iterdir())
