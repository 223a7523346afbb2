"""What adapters are for, from nothing, on built-in clips; `make demo` calls it.

Generates clips, decodes them into the cache, computes what the frozen encoders make of them, and trains two models of
the config moments/played_lstta: the frozen encoders with a readout and a head, and the same with LSTTA. Ends with a
table of both on the test split, and a picture of what LSTTA looks at. All in this folder; what is there already is
reused.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import parser_of

CONFIG = "moments/played_lstta"
DATA = Path("data/built-in/played")
RUNS = Path("work_dirs/demo")
PICTURE = RUNS / "importances.png"
CLIPS = {"train": 1500, "val": 60, "test": 200}
MODELS = {
    "none": ("the frozen encoders with a head", ["--cfg-options", "method={'_delete_': True, 'name': 'none'}"]),
    "lstta": ("the same with LSTTA", []),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the status of the step that failed, 0 where none did."""
    parser_of("demo", __doc__).parse_args(argv)
    sizes = [part for split, count in CLIPS.items() for part in (f"--{split}", str(count))]
    phases = {
        f"generate {sum(CLIPS.values()):,} clips": ["generate", "played", "--out", str(DATA), *sizes],
        "decode them into the cache": ["cache", "build", CONFIG],
        "run the frozen encoders once": ["cache", "prefix", CONFIG],
    }
    for name, (label, options) in MODELS.items():
        run = RUNS / name
        phases[f"train {label}"] = ["train", CONFIG, "--work-dir", str(run), "--resume", *options]
        phases[f"test {label}"] = ["test", CONFIG, str(run / "best"), "--json", str(run / "test.json")]
    seconds = {}
    for phase, arguments in phases.items():
        print(f"\n── {phase}: lstta {' '.join(arguments)}", flush=True)
        start = time.monotonic()
        if code := subprocess.run([sys.executable, "-Pm", "lstta_tasks", *arguments]).returncode:
            return code
        seconds[phase] = time.monotonic() - start
    _show()
    print("\nseconds: " + ", ".join(f"{phase} {taken:.0f}" for phase, taken in seconds.items()))
    print(f"curves and pictures: tensorboard --logdir {RUNS}")
    return 0


def _show() -> None:
    """The table, the picture, and what must be known of them."""
    from rich.console import Console

    from lstta_tasks.demo.chosen import draw
    from lstta_tasks.demo.peers import peers
    from lstta_tasks.demo.table import column, table
    from lstta_tasks.whole_table import print_whole

    results = {name: json.loads((RUNS / name / "test.json").read_text(encoding="utf-8")) for name in MODELS}
    head = results["none"]["trainable_parameters"]
    labels = {"none": "frozen + head", "lstta": "LSTTA"}
    own = [column(labels[name], result, head) for name, result in results.items()]
    console = Console()
    print_whole(table(results["lstta"], [*own, *peers()]))
    console.print("Readout and head are the same and fuse nothing (model.readout.guided=False):", highlight=False)
    console.print("sight, sound and question meet in adapters or nowhere.", highlight=False)
    draw(CONFIG, DATA, RUNS / "lstta" / "best", results, PICTURE)
    print(f"why: {PICTURE}")
