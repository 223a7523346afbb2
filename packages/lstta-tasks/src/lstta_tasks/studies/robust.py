"""Whether LSTTA trains at any rate: four from 1e-4 to 3e-3, five seeds each, in short runs.

The moments as in the main table, with fewer epochs; the lowest and the highest rate on two more tasks.

cost:     lstta compare robust --list; about two core hours; clips and caches are those of main
results:  docs/studies.md
"""

import runpy as _runpy
from pathlib import Path as _Path

_main = _runpy.run_path(str(_Path(__file__).with_name("main.py")))


def _short(name: str, epochs: int, seconds: float) -> dict[str, object]:
    task = _main["tasks"][name]
    return task | dict(seconds=seconds, settings=task["settings"] | {"train_cfg.max_epochs": epochs})


def _at(rate: float, **more: object) -> dict[str, object]:
    return dict(
        label=f"LSTTA at {rate:g}", method=_main["_lstta"], settings={"optim_wrapper.optimizer.lr": rate}, **more
    )


budget = _main["budget"]
seeds = (0, 1, 2, 3, 4)
settings = _main["settings"]
tasks = {
    "moments": _short("moments", 2, 220),
    "emotion": _short("emotion", 2, 60),
    "avqa": _short("avqa", 2, 130),
}
methods = {
    "lowest": _at(1e-4),
    "low": _at(3e-4, tasks=("moments",)),
    "high": _at(1e-3, tasks=("moments",)),
    "highest": _at(3e-3),
}
