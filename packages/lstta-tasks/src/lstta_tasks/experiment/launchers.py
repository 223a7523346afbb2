"""Slurm's and Open MPI's words for what torchrun says to each process: rank, number of ranks, and where rank 0 is.

MMEngine's own start of these two asks for a GPU; its names and its port are kept.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

PORT = "29500"
"""Torch's own, where MASTER_PORT says nothing else."""
NAMES = {
    "slurm": {"RANK": "SLURM_PROCID", "WORLD_SIZE": "SLURM_NTASKS", "LOCAL_RANK": "SLURM_LOCALID"},
    "mpi": {
        "RANK": "OMPI_COMM_WORLD_RANK",
        "WORLD_SIZE": "OMPI_COMM_WORLD_SIZE",
        "LOCAL_RANK": "OMPI_COMM_WORLD_LOCAL_RANK",
    },
}
STARTED_BY = {
    "slurm": "srun --ntasks 2 lstta train CONFIG --launcher slurm …",
    "mpi": "Open MPI's mpirun -n 2 -x MASTER_ADDR=HOST lstta train CONFIG --launcher mpi …",
}


def as_torchrun_says(launcher: str, environment: Mapping[str, str]) -> dict[str, str]:
    """RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.

    Args:
        launcher: ``"slurm"`` or ``"mpi"``.
        environment: of this process.

    Raises:
        ValueError: the launcher did not start this process, or does not say where rank 0 is.
    """
    names = NAMES[launcher]
    missing = [name for name in names.values() if name not in environment]
    if missing:
        raise ValueError(f"--launcher {launcher}: {', '.join(missing)} not set. It wants {STARTED_BY[launcher]}")
    said = {name: environment[theirs] for name, theirs in names.items()}
    host = environment.get("MASTER_ADDR") or (_first_host(environment) if launcher == "slurm" else None)
    if host is None:
        raise ValueError("--launcher mpi: MASTER_ADDR is not set: give rank 0's host, as mpirun -x MASTER_ADDR=HOST")
    return {**said, "MASTER_ADDR": host, "MASTER_PORT": environment.get("MASTER_PORT", PORT)}


def _first_host(environment: Mapping[str, str]) -> str:
    nodes = environment.get("SLURM_NODELIST", "")
    try:
        asked = subprocess.run(["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, check=True)
        return asked.stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise ValueError(
            f"--launcher slurm: scontrol does not say the hosts of SLURM_NODELIST={nodes!r} ({error}): set MASTER_ADDR "
            "to that of rank 0"
        ) from error
