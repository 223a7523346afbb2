"""A Ray cluster of two nodes on this machine, and its workers, to be killed by what they are at work on."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parent
HERE = {"num_cpus": 1, "object_store_memory": 80_000_000}


@contextmanager
def two_nodes() -> Iterator[tuple[Any, Any]]:
    """The cluster, a core a node, and the node that is not its head."""
    # Read when Ray is imported and when nodes start; workers find the configs' encoders as this process does.
    os.environ.update(
        RAY_USAGE_STATS_ENABLED="0",
        OMP_NUM_THREADS="1",
        PYTHONPATH=os.pathsep.join([str(SUPPORT), *filter(None, sys.path)]),
    )
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    ray_constants.ENABLE_RAY_CLUSTER = False  # as on macOS, Ray then keeps to the loopback address
    cluster = Cluster(initialize_head=True, head_node_args={**HERE, "include_dashboard": False})
    try:
        yield cluster, cluster.add_node(**HERE)
    finally:
        cluster.shutdown()


def until(happens: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What it gives, once it gives something."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def kill_one_at_work_on(name: str) -> bool:
    """Whether a worker of ours, whose task has this in its name, was there to be killed."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (process / "cmdline").read_bytes().decode(errors="replace")
            if said.startswith("ray::") and name in said and os.getpid() in _ancestors(process):
                os.kill(int(process.name), signal.SIGKILL)
                return True
    return False


def _ancestors(process: Path) -> set[int]:
    found: set[int] = set()
    while process.name != "1" and process.name != "0":
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        found.add(int(parent))
        process = Path("/proc") / parent
    return found
