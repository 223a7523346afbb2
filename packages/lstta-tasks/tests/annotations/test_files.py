"""Paths in annotations, whichever system they were written on."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from lstta_tasks.annotations.files import file_named, leads_out


@pytest.mark.parametrize("name", [r"clips\a.mp4", "clips/a.mp4", r".\clips\a.mp4", r"clips\..\clips/a.mp4"])
def test_backslashes_stand_between_folders(name: str, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"x")
    assert file_named(tmp_path, name).read_bytes() == b"x"


def test_a_file_that_has_one_in_its_name_comes_first(tmp_path: Path) -> None:
    (tmp_path / r"clips\a.mp4").write_bytes(b"x")
    assert file_named(tmp_path, r"clips\a.mp4").name == r"clips\a.mp4"


@pytest.mark.parametrize("name", [r"D:\clips\a.mp4", "D:/clips/a.mp4", r"\\server\clips\a.mp4"])
def test_a_drive_is_refused_where_there_are_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begins with a drive, which this system has not: write paths from"):
        file_named(tmp_path, name)


@pytest.mark.parametrize("name", [r"clips\a.mp4", r"D:\clips\a.mp4", "clips/a.mp4"])
def test_on_windows_they_are_as_they_stand(name: str) -> None:
    folder: Any = PureWindowsPath(r"C:\data")
    assert file_named(folder, name) == folder / name


@pytest.mark.parametrize("name", ["x\0y", "x" * 5000, "3:05.mp4", "a", "/absolute/a.mp4"])
def test_others_are_not_looked_at(name: str, tmp_path: Path) -> None:
    assert file_named(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["..", "/a", r"\a", r"a\..\..\b", "C:", "C:a", r"C:\a", "C:/a", r"\\server\share\a"])
def test_what_leads_out_on_any_system(name: str) -> None:
    assert leads_out(name)
