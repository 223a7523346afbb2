"""Two torchrun agents, as on two machines, meet at a c10d rendezvous and train what one process trains; one that is
killed is started again and goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.training.train import train

SUPPORT = Path(__file__).parents[1] / "support"
EPOCHS = 6
CHANGES = {
    "import AdamW": "import SGD",
    "type=AdamW, lr=2e-2, weight_decay=0.01": "type=SGD, lr=2e-2",
    "dropout=0.1": "dropout=0.0",
    "max_epochs=3": f"max_epochs={EPOCHS}",
}


def config(world: World, folder: Path, size: int) -> Path:
    """Without chance, and with an optimizer that does not make much of the last bits."""
    text = world.config.read_text(encoding="utf-8")
    for old, new in (*CHANGES.items(), ("batch_size=4", f"batch_size={size}")):
        assert old in text
        text = text.replace(old, new)
    path = folder / f"of_{size}.py"
    path.write_text(text, encoding="utf-8")
    return path


def agent(port: int, *arguments: object) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(SUPPORT), *filter(None, sys.path)]),
    }
    rendezvous = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "test"]
    here = ["--local-addr", "127.0.0.1", "--nnodes", "2", "--nproc-per-node", "1", "--max-restarts", "2"]
    command = [sys.executable, "-m", "torch.distributed.run", *rendezvous, *here, "-m", "lstta_tasks", "train"]
    return subprocess.Popen([*command, *map(str, arguments)], env=environment)


def worker_of(agent: subprocess.Popen[bytes]) -> int | None:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            child = (process / "stat").read_text().rpartition(")")[2].split()[1] == str(agent.pid)
            if child and b"lstta_tasks" in (process / "cmdline").read_bytes():
                return int(process.name)
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("killed", [False, True])
def test_two_nodes_train_as_one_process(msrvtt: World, tmp_path: Path, killed: bool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = tmp_path / "two"
    arguments = (config(msrvtt, tmp_path, 2), "--work-dir", run, "--resume")  # and no --launcher: torchrun says it
    agents = [agent(port, *arguments) for _ in range(2)]
    if killed:
        while not list(run.glob("epoch_[2-9].pth")):
            assert agents[0].poll() is None
            time.sleep(0.02)
        worker = worker_of(agents[1])
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
    assert [each.wait() for each in agents] == [0, 0]

    torch.set_num_threads(1)
    train(load_config(config(msrvtt, tmp_path, 4)), work_dir=tmp_path / "one")
    found, wanted = (
        torch.load(folder / f"epoch_{EPOCHS}.pth", weights_only=True) for folder in (run, tmp_path / "one")
    )
    assert found["meta"]["iter"] == wanted["meta"]["iter"] == 3 * EPOCHS
    torch.testing.assert_close(found["state_dict"], wanted["state_dict"], rtol=1e-4, atol=1e-4)
    assert read_adapter(run / "best").record["selected"] == read_adapter(tmp_path / "one" / "best").record["selected"]
