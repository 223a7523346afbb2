"""Steps of another checkout's benchmarks/train_step.py, in a process of its own, to be taken in turns with this one's.

The other checkout has to be installed (``make .venv/installed`` there). Its train_step.py is asked
for what it has had since version 0.1: ``SMALL``, ``ways``, ``Way`` and ``seconds_of``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

_CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
import torch, train_step
train_step.keep_freed_memory()
torch.set_num_threads(int(sys.argv[2]))
device = torch.device("cpu")
options, built = dict(train_step.ways(train_step.SMALL, None)), {}
for line in sys.stdin:
    verb, *key = json.loads(line)
    answer, key = None, tuple(key)
    if verb == "names":
        answer = list(options)
    elif verb == "build":
        built = {other: way for other, way in built.items() if other[1] == key[1]}
        built[key] = train_step.Way(size=train_step.SMALL, settings=key[1], device=device, **options[key[0]])
    elif verb == "step":
        answer = train_step.seconds_of(built[key].step, device)
    print("answer", json.dumps(answer), flush=True)
"""


class Beside:
    """The other checkout's ways, by name and settings.

    Args:
        checkout: its root, with an environment in ``.venv``.
        threads: of torch, as here.

    Raises:
        FileNotFoundError: the checkout has no environment or no benchmark.
        RuntimeError: its process ended; what it printed stands above.
    """

    def __init__(self, checkout: Path, threads: int) -> None:
        python, folder = checkout.absolute() / ".venv/bin/python", checkout.absolute() / "benchmarks"
        for wanted in (python, folder / "train_step.py"):
            if not wanted.exists():
                raise FileNotFoundError(f"--beside {checkout}: no {wanted}; install that checkout first")
        self._process = subprocess.Popen(
            [str(python), "-c", _CHILD, str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.names: list[str] = self._ask("names")

    def build(self, name: str, settings: str) -> None:
        """Make a way; those of other settings are let go of."""
        self._ask("build", name, settings)

    def step(self, name: str, settings: str) -> float:
        """Take a step; its seconds, as ``seconds_of`` has them."""
        return float(self._ask("step", name, settings))

    def _ask(self, *words: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        raise RuntimeError(f"the other checkout's process ended with {self._process.wait()} at {' '.join(words)}")
