"""Two processes with folders of their own, as two machines have them: they train one run, or none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from ranks import Machine, train_on
from same_end import assert_same_end, checkpoint
from small_world import World

from lstta_tasks.file_lock import lock_beside

SHORT = {"train_cfg.max_epochs": 2}


def machines(world: World, folder: Path, **given: object) -> list[Machine]:
    return [Machine(folder / f"node{rank}" / "run", world.config, **given) for rank in range(2)]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def two(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of two machines that have trained two epochs."""
    both = machines(world, tmp_path_factory.mktemp("two"), options=SHORT)
    assert train_on(*both) == ["", ""]
    return [machine.folder for machine in both]


def test_only_the_first_writes(two: list[Path]) -> None:
    assert checkpoint(two[0])["meta"]["epoch"] == 2
    assert not list(two[1].glob("*.pth"))
    assert not (two[1] / "best").exists()


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["slurm", "mpi"])
def test_slurm_and_mpi_start_the_same_run(world: World, two: list[Path], tmp_path: Path, launcher: str) -> None:
    both = machines(world, tmp_path, options=SHORT, launcher=launcher)
    assert train_on(*both) == ["", ""]
    assert_same_end(two[0], both[0].folder)


def test_all_go_on_from_the_checkpoint_of_the_first(world: World, two: list[Path], run: Path, tmp_path: Path) -> None:
    """The second has none, or that of some other run."""
    whole, cut, stale = (machines(world, tmp_path / name) for name in ("whole", "cut", "stale"))
    assert train_on(*whole) == ["", ""]
    for both in (cut, stale):
        shutil.copytree(two[0], both[0].folder)
    shutil.copytree(run, stale[1].folder)
    for both in (cut, stale):
        assert train_on(*both, resume=True) == ["", ""]
        assert_same_end(whole[0].folder, both[0].folder)
    assert checkpoint(stale[1].folder)["meta"]["iter"] == 18  # nobody touched it


def test_all_refuse_where_the_first_does(world: World, two: list[Path], tmp_path: Path) -> None:
    both = machines(world, tmp_path, options=SHORT)
    shutil.copytree(two[0], both[0].folder)
    first, second = train_on(*both)
    assert first == f"ValueError: {both[0].folder} holds a run: give --resume to go on with it, or another --work-dir"
    assert second == f"OtherRankError: rank 0: {first.removeprefix('ValueError: ')}"
    with lock_beside(both[0].folder) as alone:
        assert alone
        first, second = train_on(*both, resume=True)
    assert "another training is at work in this folder" in first
    assert "another training is at work in this folder" in second
    assert not both[1].folder.exists()


class TestOtherData:
    def test_of_one_are_refused_with_the_difference(self, world: World, tmp_path: Path) -> None:
        here, there = machines(world, tmp_path)
        root = tmp_path / "data"
        shutil.copytree(world.root, root)
        rows = json.loads((root / "avqa-val.json").read_text())
        (root / "avqa-val.json").write_text(json.dumps(rows[:4] + rows[5:]))
        there = Machine(there.folder, world.config, {"task.root": str(root)})
        first, second = train_on(here, there)
        assert second.startswith(
            "ValueError: rank 1 has other samples of val than rank 0: 14 here, 15 there; '1011' is missing here."
            " Give all ranks the same annotations"
        ), second
        assert first == f"OtherRankError: rank 1: {second.removeprefix('ValueError: ')}"
        assert not here.folder.exists()

    def test_another_answer_is_found(self, world: World, tmp_path: Path) -> None:
        here, there = machines(world, tmp_path)
        root = tmp_path / "data"
        shutil.copytree(world.root, root)
        rows = json.loads((root / "avqa-train.json").read_text())
        rows[5]["question_content"] = "Is the <Object> silent?"
        (root / "avqa-train.json").write_text(json.dumps(rows))
        _, second = train_on(here, Machine(there.folder, world.config, {"task.root": str(root)}))
        assert "of train than rank 0: 21 here, 21 there; '12' has another clip, text or answer" in second

    def test_a_cache_that_one_lacks_ends_all(self, world: World, tmp_path: Path) -> None:
        here, there = machines(world, tmp_path)
        first, second = train_on(here, Machine(there.folder, world.config, {"clips.cache": str(tmp_path / "none")}))
        assert str(tmp_path / "none") in second
        assert first.startswith("OtherRankError: rank 1: ")

    def test_other_settings_are_named(self, world: World, tmp_path: Path) -> None:
        here, there = machines(world, tmp_path)
        first, second = train_on(here, Machine(there.folder, world.config, {"optim_wrapper.optimizer.lr": 0.5}))
        assert "rank 1 was started with other settings than rank 0: optim_wrapper.optimizer.lr is 0.5 here" in second
        assert second.removeprefix("ValueError: ") in first


def test_a_signal_to_one_ends_all_after_the_same_step(world: World, two: list[Path], tmp_path: Path) -> None:
    here, there = machines(world, tmp_path, options=SHORT)
    there = Machine(there.folder, world.config, SHORT, act=(3, "be asked to end"))
    assert train_on(here, there) == ["Stopped: 143", "Stopped: 143"]
    assert checkpoint(here.folder)["meta"]["iter"] == 4
    assert train_on(*machines(world, tmp_path, options=SHORT), resume=True) == ["", ""]
    assert_same_end(two[0], here.folder)


def test_one_that_diverges_ends_all(world: World, tmp_path: Path) -> None:
    here, there = machines(world, tmp_path, options=SHORT)
    for said in train_on(here, Machine(there.folder, world.config, SHORT, act=(4, "diverge"))):
        assert said.startswith("DivergedError: "), said
        assert "the loss of epoch 2, step 2 is NaN or infinite" in said
    assert checkpoint(here.folder)["meta"]["epoch"] == 1
