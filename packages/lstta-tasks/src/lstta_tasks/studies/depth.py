"""Adapters between the blocks: at the last two and at all four stages, with the main table's encoders; one seed.

Fewer epochs than in the main table, since the blocks behind the first adapter run in each step. Rates are those of the
main table's search, where adapters stand at the last stage. LoRA, CoLA and prompts train behind the third stage, so they
are in one column.

cost:     lstta compare depth --list; about two core hours; clips are those of main, the prefix caches depth's own
results:  docs/studies.md
"""

import runpy as _runpy
from pathlib import Path as _Path

_main = _runpy.run_path(str(_Path(__file__).with_name("main.py")))


def _deep(adapted: int, ending: str, seconds: float) -> dict[str, object]:
    task = _main["tasks"]["emotion"]
    own = {
        "model.adapted": adapted,
        "clips.prefix": task["settings"]["clips.prefix"] + ending,
        "train_cfg.max_epochs": 3,
    }
    return task | dict(seconds=seconds, settings=task["settings"] | own)


budget = _main["budget"]
seeds = (0,)
settings = _main["settings"]
tasks = {"half": _deep(2, "_from_third", 330), "all": _deep(4, "_from_first", 900)}
_names = ("none", "bottleneck", "lavish", "dgsct", "moka", "long", "short", "lstta", "lora", "cola", "prompt")
methods = {
    name: dict(label=_main["methods"][name]["label"], method=_main["methods"][name]["method"]) for name in _names
}
methods["none"]["cost"] = 0.4
for _name in ("lora", "cola", "prompt"):
    methods[_name]["tasks"] = ("half",)
found = dict(key="optim_wrapper.optimizer.lr", study="main", tasks={"half": "emotion", "all": "emotion"})
