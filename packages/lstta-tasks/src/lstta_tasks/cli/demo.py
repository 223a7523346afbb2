"""From nothing to a trained trimodal adapter on the built-in clips; `make demo` calls it.

Generates the clips, decodes them into the cache, trains the config avqa/tiny_lstta, and evaluates the best adapter on
the test split, all in this folder. What is there already is reused.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import parser_of

CONFIG = "avqa/tiny_lstta"
RUN = Path("work_dirs/tiny_lstta")
CLIPS = {"train": 900, "val": 60, "test": 200}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the status of the step that failed, 0 where none did."""
    parser_of("demo", __doc__).parse_args(argv)
    sizes = [part for split, count in CLIPS.items() for part in (f"--{split}", str(count))]
    phases = {
        f"generate {sum(CLIPS.values()):,} clips": ["generate", "avqa", "--out", "data/built-in/avqa", *sizes],
        "decode them into the cache": ["cache", "build", CONFIG],
        "train the adapter": ["train", CONFIG, "--work-dir", str(RUN), "--resume"],
        "evaluate it on the test split": ["test", CONFIG, str(RUN / "best"), "--json", str(RUN / "test.json")],
    }
    seconds = {}
    for phase, arguments in phases.items():
        print(f"\n── {phase}: lstta {' '.join(arguments)}", flush=True)
        start = time.monotonic()
        if code := subprocess.run([sys.executable, "-Pm", "lstta_tasks", *arguments]).returncode:
            return code
        seconds[phase] = time.monotonic() - start
    print("\nseconds: " + ", ".join(f"{phase} {taken:.0f}" for phase, taken in seconds.items()))
    print(f"curves and pictures: tensorboard --logdir {RUN}")
    return 0
