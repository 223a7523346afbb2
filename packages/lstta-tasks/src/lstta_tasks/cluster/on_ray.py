"""Tasks on a Ray cluster, which schedules them, and starts one again where its worker or its node dies."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from tqdm import tqdm

import lstta_tasks
from lstta_tasks.data.cache_errors import BeingBuiltError
from lstta_tasks.how_long import HowLong

RETRIES = 10
"""Of a task whose worker or node has died."""
ANSWER = 10.0
"""Seconds within which a head node must answer: Ray itself would ask for ten minutes."""
PATIENCE = 300.0
"""Seconds that a shard waits for whoever has it: of a node that is gone, file systems keep the locks for a while."""

Job = TypeVar("Job")
Report = TypeVar("Report")


class RayCluster:
    """A Ray cluster; made by :func:`connected`.

    Attributes:
        cores: of all nodes.
        most: cores of the largest node.
        gpus: of all nodes.
    """

    def __init__(self, ray: ModuleType) -> None:
        self._ray = ray
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self.most = max(int(node.get("CPU", 0)) for node in nodes)
        self.cores = sum(int(node.get("CPU", 0)) for node in nodes)
        self.gpus = sum(int(node.get("GPU", 0)) for node in nodes)

    def run(
        self, work: Callable[[Job], Report], jobs: Mapping[str, Job], *, cores: int, gpus: int = 0, what: str
    ) -> tuple[list[Report], dict[str, str]]:
        """Each job by a task of its own, in this working directory, which all nodes must see.

        Args:
            work: a function of an installed module.
            jobs: what it is called with, by name.
            cores: of each task.
            gpus: likewise.
            what: is done, for the bar.

        Returns:
            What the tasks gave, and of those that failed the reason, by name.

        Raises:
            ValueError: no node has so many cores.
        """
        if cores > self.most:
            raise ValueError(
                f"{what}: a shard wants {cores} cores, the largest node of the Ray cluster has {self.most}"
            )
        options = {"num_cpus": cores, "num_gpus": gpus, "max_retries": RETRIES, "scheduling_strategy": "SPREAD"}
        task = self._ray.remote(**options)(_at_work)
        here = str(Path.cwd())
        pending = {task.options(name=f"{what} {name}").remote(here, work, job): name for name, job in jobs.items()}
        reports: list[Report] = []
        failed: dict[str, str] = {}
        how_long = HowLong(what, len(jobs), "shards")
        with tqdm(total=len(jobs), unit="shard", disable=None, desc=what) as bar:
            while pending:
                (done,), _ = self._ray.wait(list(pending), num_returns=1)
                name = pending.pop(done)
                try:
                    reports.append(self._ray.get(done))
                except Exception as error:  # whatever it is, the others go on
                    failed[name] = _said(error)
                    bar.set_postfix(failed=len(failed))
                bar.update()
                how_long.update()
        return reports, failed


@contextmanager
def connected(address: str) -> Iterator[RayCluster]:
    """A connection to a running Ray cluster, until the context ends; then whatever still runs there for it ends too.

    Args:
        address: ``"auto"`` for that of this machine, or a head node's, as ``HOST:6379``.

    Raises:
        ValueError: Ray is not installed, or no cluster answers.
    """
    if find_spec("ray") is None:
        raise ValueError("--ray needs Ray, on this machine and all nodes: pip install 'lstta-tasks[ray]'")
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # of 20, each of 40 s, where a cluster is gone
    import ray

    # Ray puts the working directory on its workers' path, and with it whatever lies there by the name of a package.
    with chdir(Path(lstta_tasks.__file__).parent.parent):
        try:
            _ask(address)
            ray.init(address=address, logging_level="warning")
        except (OSError, RuntimeError, ValueError) as error:
            said = str(error).partition("\n")[0]
            raise ValueError(
                f"--ray {address}: no Ray cluster can be used there ({said}): start one with ray start --head"
            ) from error
    try:
        yield RayCluster(ray)
    finally:
        ray.shutdown()


def _ask(address: str) -> None:
    """Raise an OSError where nothing listens; of ``auto`` Ray knows whether there is a cluster."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()


def _at_work(folder: str, work: Callable[[Job], Report], job: Job) -> Report:
    """What runs on a node."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ValueError(
            f"{socket.gethostname()} does not see {folder} ({error.strerror}): all nodes need the folder in which "
            "lstta is started, and what the config names, under the same paths"
        ) from error
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return work(job)
        except BeingBuiltError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _said(error: Exception) -> str:
    cause = getattr(error, "cause", None)  # of what a task raised; Ray's own word has its traceback
    first = str(error if cause is None else cause).partition("\n")[0]
    return first or type(error).__name__
