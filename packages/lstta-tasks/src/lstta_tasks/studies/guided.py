"""The main table's methods with the readout of the shipped configs, in which the text guides what is read; one seed.

Rates are those that the main table's search finds. LoRA, CoLA, prompts and the mix of layers run on one of the two
tasks.

cost:     lstta compare guided --list; about four core hours; clips and caches are those of main
results:  docs/studies.md
"""

import runpy as _runpy
from pathlib import Path as _Path

_main = _runpy.run_path(str(_Path(__file__).with_name("main.py")))

budget = _main["budget"]
seeds = (0,)
settings = _main["settings"] | {"model.readout.guided": True}
tasks = {name: _main["tasks"][name] for name in ("moments", "emotion")}
methods = {
    name: {key: value for key, value in method.items() if key != "searched"}
    | (dict(tasks=("emotion",)) if "prefix" in method else {})
    for name, method in _main["methods"].items()
}
found = dict(key="optim_wrapper.optimizer.lr", study="main")
