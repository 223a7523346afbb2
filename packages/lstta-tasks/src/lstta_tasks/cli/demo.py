"""What adapters are for, from nothing, on built-in clips; `make demo` calls it.

Generates clips, decodes them into the cache, computes what the frozen encoders make of them, and trains two models of
the config moments/played_lstta: the frozen encoders with a readout and a head, and the same with LSTTA. Ends with a
table of both on the test split, and a picture of what LSTTA looks at. `--captions` (`make demo-captions`) trains one
model of captioning/demo_lstta instead, a small language model that says what is seen and heard, and ends with what it
says of clips of test. All in this folder; what is there already is reused.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstta_tasks.cli.options import parser_of

SHOWN = 4
"""Captions that are printed."""


@dataclass(frozen=True)
class Demo:
    """A config on built-in clips.

    Attributes:
        config: a shipped one.
        generator: whose clips, as `lstta generate` names it.
        data: the folder of the clips.
        clips: how many in each split.
        runs: the folder of the runs.
        models: by name, what is said of it and what options it has.
    """

    config: str
    generator: str
    data: Path
    clips: Mapping[str, int]
    runs: Path
    models: Mapping[str, tuple[str, Sequence[str]]]

    def result(self, model: str) -> Path:
        return self.runs / model / "test.json"


MOMENTS = Demo(
    config="moments/played_lstta",
    generator="played",
    data=Path("data/built-in/played"),
    clips={"train": 1500, "val": 60, "test": 200},
    runs=Path("work_dirs/demo"),
    models={
        "none": ("the frozen encoders with a head", ["--cfg-options", "method={'_delete_': True, 'name': 'none'}"]),
        "lstta": ("the same with LSTTA", []),
    },
)
CAPTIONS = Demo(
    config="captioning/demo_lstta",
    generator="retrieval",
    data=Path("data/built-in/captions"),
    clips={"train": 1200, "val": 32, "test": 128},
    runs=Path("work_dirs/demo_captions"),
    models={"lstta": ("LSTTA between three frozen encoders, one of which speaks", [])},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the status of the step that failed, 0 where none did."""
    parser = parser_of("demo", __doc__)
    parser.add_argument("--captions", action="store_true", help="captions in place of the questions about moments")
    demo = CAPTIONS if parser.parse_args(argv).captions else MOMENTS
    sizes = [part for split, count in demo.clips.items() for part in (f"--{split}", str(count))]
    phases = {
        f"generate {sum(demo.clips.values()):,} clips": ["generate", demo.generator, "--out", str(demo.data), *sizes],
        "decode them into the cache": ["cache", "build", demo.config],
        "run the frozen encoders once": ["cache", "prefix", demo.config],
    }
    for name, (label, options) in demo.models.items():
        run = demo.runs / name
        phases[f"train {label}"] = ["train", demo.config, "--work-dir", str(run), "--resume", *options]
        phases[f"test {label}"] = ["test", demo.config, str(run / "best"), "--json", str(demo.result(name))]
    seconds = {}
    for phase, arguments in phases.items():
        print(f"\n── {phase}: lstta {' '.join(arguments)}", flush=True)
        start = time.monotonic()
        if code := subprocess.run([sys.executable, "-Pm", "lstta_tasks", *arguments]).returncode:
            return code
        seconds[phase] = time.monotonic() - start
    results = {name: json.loads(demo.result(name).read_text(encoding="utf-8")) for name in demo.models}
    if demo is CAPTIONS:
        _show_captions(results["lstta"])
    else:
        _show_moments(results)
    print("\nseconds: " + ", ".join(f"{phase} {taken:.0f}" for phase, taken in seconds.items()))
    print(f"curves and pictures: tensorboard --logdir {demo.runs}")
    return 0


def _show_moments(results: Mapping[str, Mapping[str, Any]]) -> None:
    """The table, the picture, and what must be known of them."""
    from rich.console import Console

    from lstta_tasks.demo.chosen import draw
    from lstta_tasks.demo.peers import peers
    from lstta_tasks.demo.table import column, table
    from lstta_tasks.whole_table import print_whole

    head = results["none"]["trainable_parameters"]
    labels = {"none": "frozen + head", "lstta": "LSTTA"}
    own = [column(labels[name], result, head) for name, result in results.items()]
    console = Console()
    print_whole(table(results["lstta"], [*own, *peers()]))
    console.print("Readout and head are the same and fuse nothing (model.readout.guided=False):", highlight=False)
    console.print("sight, sound and question meet in adapters or nowhere.", highlight=False)
    picture = MOMENTS.runs / "importances.png"
    draw(MOMENTS.config, MOMENTS.data, MOMENTS.runs / "lstta" / "best", results, picture)
    print(f"why: {picture}")


def _show_captions(result: Mapping[str, Any]) -> None:
    """What was said of some clips; how good all of it is stands above, in the report of the test."""
    for row in result["rows"][:SHOWN]:
        print(f"\n{row['clip']}\n  said:  {row['prediction']}\n  truth: {row['truth']}")
    videos = CAPTIONS.data / "videos" / "all"
    print(f"\nof any clip, such as those in {videos}: lstta infer {CAPTIONS.runs}/lstta/best CLIP")
