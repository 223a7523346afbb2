"""Slurm's and Open MPI's words, as torchrun says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.experiment.distributed import join
from lstta_tasks.experiment.launchers import as_torchrun_says

SLURM = {"SLURM_PROCID": "3", "SLURM_NTASKS": "5", "SLURM_LOCALID": "1", "SLURM_NODELIST": "node[7-8]"}
MPI = {"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "5", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}
SAID = {"RANK": "3", "WORLD_SIZE": "5", "LOCAL_RANK": "1"}


@pytest.mark.parametrize(("launcher", "environment"), [("slurm", SLURM), ("mpi", MPI)])
def test_where_rank_0_is_may_be_given(launcher: str, environment: dict[str, str]) -> None:
    where = {"MASTER_ADDR": "node7", "MASTER_PORT": "11"}
    assert as_torchrun_says(launcher, environment | where) == SAID | where


def test_slurm_is_asked_for_the_first_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scontrol").write_text('#!/bin/sh\necho "${3%%[*}7"\necho "${3%%[*}8"\n')
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert as_torchrun_says("slurm", SLURM) == SAID | {"MASTER_ADDR": "node7", "MASTER_PORT": "29500"}


def test_without_scontrol(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ValueError, match=r"scontrol does not say the hosts of SLURM_NODELIST='node\[7-8\]'.*MASTER_ADDR"
    ):
        as_torchrun_says("slurm", SLURM)


def test_mpi_does_not_say_where_rank_0_is() -> None:
    with pytest.raises(ValueError, match="MASTER_ADDR is not set: give rank 0's host"):
        as_torchrun_says("mpi", MPI)


@pytest.mark.parametrize(
    ("launcher", "said"), [("slurm", "SLURM_PROCID, .*wants srun"), ("mpi", "wants Open MPI's mpi")]
)
def test_who_was_not_started_by_it(launcher: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SLURM, *MPI):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=said):
        join(launcher)
