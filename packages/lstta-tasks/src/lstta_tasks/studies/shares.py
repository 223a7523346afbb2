"""How much the methods need to see: 1 % and 10 % of the questions about moments; one seed.

All of them are the main table's. Steps are not in proportion: 1,000 and 2,000 of the 4,000 that all questions have.
Rates are those of the main table's search.

cost:     lstta compare shares --list; about an hour and a half of a core; clips and caches are those of main
results:  docs/studies.md
"""

import runpy as _runpy
from pathlib import Path as _Path

_main = _runpy.run_path(str(_Path(__file__).with_name("main.py")))


def _some(share: float, epochs: int, every: int, seconds: float) -> dict[str, object]:
    task = _main["tasks"]["moments"]
    own = {"loader.train_share": share, "train_cfg.max_epochs": epochs, "train_cfg.val_interval": every}
    return task | dict(seconds=seconds, settings=task["settings"] | own)


budget = _main["budget"]
seeds = (0,)
settings = _main["settings"]
tasks = {"one_percent": _some(0.01, 200, 20, 330), "ten_percent": _some(0.1, 40, 4, 620)}
methods = {name: method for name, method in _main["methods"].items() if "prefix" not in method}
found = dict(key="optim_wrapper.optimizer.lr", study="main", tasks={"one_percent": "moments", "ten_percent": "moments"})
