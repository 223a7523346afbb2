"""What all writers promise: nothing is done twice, an interrupted run goes on, other arguments are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_world import film_files, missing_films
from lstta_world.catalogue import CATALOGUE
from lstta_world.generate import generate
from lstta_world.relevant_seconds import RELEVANT_SECONDS
from lstta_world.shown import Shown

SIZES = {"train": 2, "val": 1, "test": 1}


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_interrupted_run_goes_on_and_other_arguments_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(name, tmp_path / "whole", **SIZES, seed=5, workers=1)
    written = 0

    def killed_at_the_third(path: Path, shown: Shown) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise KeyboardInterrupt
        film_files.write_film(path, shown)

    monkeypatch.setattr(missing_films, "write_film", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        generate(name, tmp_path / "killed", **SIZES, seed=5, workers=1)
    assert not (tmp_path / "killed" / "generated.json").exists()
    resumed = generate(name, tmp_path / "killed", **SIZES, seed=5, workers=1)
    assert (resumed.rendered, resumed.kept) == (2, 2)
    for file in (tmp_path / "whole").rglob("*.*"):
        if file.name != "generated.json":
            assert (tmp_path / "killed" / file.relative_to(tmp_path / "whole")).read_bytes() == file.read_bytes()

    again = generate(name, tmp_path / "killed", **SIZES, seed=5, workers=1)
    assert (again.clips, again.rendered, again.kept, again.samples) == (SIZES, 0, 4, resumed.samples)
    with pytest.raises(ValueError, match=r"'seed': 5.*'seed': 6.*choose another folder"):
        generate(name, tmp_path / "killed", **SIZES, seed=6, workers=1)


def test_a_folder_of_version_0_1_gets_what_it_lacks_and_nothing_else(tmp_path: Path) -> None:
    generate("sentiment", tmp_path, **SIZES, seed=5, workers=1)
    relevant = tmp_path / RELEVANT_SECONDS
    content = relevant.read_bytes()
    relevant.unlink()
    (tmp_path / "label.csv").write_text("corrected by hand")
    again = generate("sentiment", tmp_path, **SIZES, seed=5, workers=1)
    assert (again.rendered, again.kept) == (0, 4)
    assert relevant.read_bytes() == content
    assert (tmp_path / "label.csv").read_text() == "corrected by hand"
    assert not (tmp_path / "generating.json").exists()


def test_as_many_clips_as_the_catalogue_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing_films, "write_film", lambda path, shown: path.write_bytes(b"film"))
    report = generate("emotion", tmp_path, test=3, workers=1)
    assert report.clips == {"train": 2000, "val": 300, "test": 3}


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no data set 'meld' can be generated: there are avqa, retrieval,"):
        generate("meld", tmp_path)
