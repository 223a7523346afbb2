#!/usr/bin/env python3
"""Look for what is wrong with a config's data set before training: tools/doctor.py configs/avqa/tiny_lstta.py

Exit status: 1 where something would stop or spoil training, 0 otherwise, warnings included.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common import cfg_options, user_errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--split", nargs="+", choices=("train", "val", "test"), help="default: all three")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found here")
    parser.add_argument("--skip", type=Path, metavar="FILE", help="write a list for tools/cache.py build --skip here")
    parser.add_argument("--workers", type=int, help="threads that look at clips (default: two a core)")
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")
    args = parser.parse_args()

    from lstta_tasks.doctor.examine import examine
    from lstta_tasks.doctor.report import as_json, print_diagnosis, skip_list
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment

    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    segments = experiment.preprocessing.segments
    diagnosis = examine(experiment.task, experiment.specs, segments=segments, splits=args.split, workers=args.workers)
    print_diagnosis(diagnosis)
    if args.json is not None:
        _write(args.json, json.dumps(as_json(diagnosis), indent=1, ensure_ascii=False) + "\n")
    if args.skip is not None:
        _write(args.skip, skip_list(diagnosis))
    return int(diagnosis.count("error") > 0)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with user_errors():
        raise SystemExit(main())
