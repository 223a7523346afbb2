#!/usr/bin/env python3
"""From nothing to a trained trimodal adapter on the built-in clips; `make demo` calls it.

Generates the clips, decodes them into the cache, trains configs/avqa/tiny_lstta.py, and evaluates the best adapter on
the test split. What is there already is reused; `make clean` starts over.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

TOOLS = Path(__file__).parent
CONFIG = "configs/avqa/tiny_lstta.py"
RUN = Path("work_dirs/tiny_lstta")
CLIPS = {"train": 900, "val": 60, "test": 200}


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sizes = [part for split, count in CLIPS.items() for part in (f"--{split}", str(count))]
    phases = {
        f"generate {sum(CLIPS.values()):,} clips": ["generate.py", "avqa", "--out", "data/built-in/avqa", *sizes],
        "decode them into the cache": ["cache.py", "build", CONFIG],
        "train the adapter": ["train.py", CONFIG, "--work-dir", str(RUN), "--resume"],
        "evaluate it on the test split": ["test.py", CONFIG, str(RUN / "best"), "--json", str(RUN / "test.json")],
    }
    seconds = {}
    for phase, (tool, *arguments) in phases.items():
        print(f"\n── {phase}: tools/{tool} {' '.join(arguments)}", flush=True)
        start = time.monotonic()
        result = subprocess.run([sys.executable, str(TOOLS / tool), *arguments])
        if result.returncode:
            raise SystemExit(result.returncode)
        seconds[phase] = time.monotonic() - start
    print("\nseconds: " + ", ".join(f"{phase} {taken:.0f}" for phase, taken in seconds.items()))
    print(f"curves and pictures: tensorboard --logdir {RUN}")


if __name__ == "__main__":
    main()
