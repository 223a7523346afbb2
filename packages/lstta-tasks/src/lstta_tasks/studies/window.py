"""LSTTA whose short-term module hears its own segment alone, beside the main table's, which hears three.

On `emotion`, where what matters in a second can be told from that second.

cost:     lstta compare window --list; ten minutes of one core; clips and caches are those of main
results:  docs/studies.md
"""

import runpy as _runpy
from pathlib import Path as _Path

_main = _runpy.run_path(str(_Path(__file__).with_name("main.py")))

budget = _main["budget"]
seeds = (0,)
settings = _main["settings"]
tasks = {"emotion": _main["tasks"]["emotion"]}
methods = {
    "one": dict(label="LSTTA, window of one segment", method=_main["_lstta"] | dict(window=1)),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 3e-3), tasks=("emotion",), seed=0)
