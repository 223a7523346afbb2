"""The way of a user on wheels alone: build them, install them where no checkout is, and go from data to an answer.

    python tests/walk.py --python .../an-environment/bin/python --folder /tmp/walk

Needs a registry. ``--python`` is that of an empty environment, or of one that has what our packages ask for already;
the one that runs this needs pip alone. Run it with each Python before a release.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent for path in (ROOT / "packages").rglob("pyproject.toml"))
CONFIG = "avqa/tiny_lstta"
ADAPTER = "work_dirs/tiny_lstta/best"
STEPS = (
    "configs",
    "generate avqa --out data/built-in/avqa --train 4 --val 2 --test 2 --workers 1",
    f"cache build {CONFIG} --workers 1",
    f"doctor {CONFIG}",
    f"train {CONFIG} --cfg-options train_cfg.max_epochs=1 loader.workers=0",
    f"test {CONFIG} {ADAPTER}",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="of the environment to install into")
    parser.add_argument("--folder", type=Path, required=True, help="an empty one, for wheels and what comes out")
    parser.add_argument("--no-deps", action="store_true", help="install nothing but our own wheels")
    options = parser.parse_args()
    wheels, work = options.folder.resolve() / "wheels", options.folder.resolve() / "work"
    if wheels.exists() or work.exists():
        parser.error(f"--folder {options.folder}: there is something in it, pass another")
    work.mkdir(parents=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels)]
    run([*build, *map(str, PACKAGES)], work)
    python = str(options.python.absolute())
    alone = ["--no-deps", "--force-reinstall"] if options.no_deps else []
    run([python, "-m", "pip", "install", "--quiet", *alone, *map(str, sorted(wheels.glob("*.whl")))], work)
    run([python, "-m", "pip", "check"], work)
    where = "import lstta_tasks, lstta_core; print(lstta_tasks.__file__, lstta_core.__file__)"
    if str(ROOT) in run([python, "-c", where], work):
        parser.error(f"{python} imports lstta from the checkout: pass an environment without it")
    lstta = [python, "-m", "lstta_tasks"]
    for step in STEPS:
        run([*lstta, *step.split()], work)
    clip = next((work / "data/built-in/avqa").rglob("*.mp4"))
    run([*lstta, "infer", ADAPTER, str(clip), "Is the violin in the video always playing?"], work)


def run(command: list[str], folder: Path) -> str:
    """Run a step apart from this checkout; print how long it took and the end of what it said. Ends where it fails."""
    started = time.monotonic()
    apart = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LSTTA_PLUGINS")}
    done = subprocess.run(command, cwd=folder, env=apart, capture_output=True, text=True, encoding="utf-8")
    words = " ".join(command[command.index("-m") + 1 :] if "-m" in command else command)
    print(f"{time.monotonic() - started:6.1f} s  {words[:120]}", flush=True)
    if warned := [line for line in done.stderr.splitlines() if "Warning" in line]:
        print(*(f"          {line}" for line in warned), sep="\n")
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nexit code {done.returncode}")
    print(*(f"          {line}" for line in done.stdout.splitlines()[-3:]), sep="\n", flush=True)
    return done.stdout


if __name__ == "__main__":
    main()
