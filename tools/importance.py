#!/usr/bin/env python3
"""What importances mean: tools/importance.py configs/avqa/tiny_lstta.py work_dirs/tiny_lstta/best

Compares them with the seconds that matter, where the data set is a built-in one and those are known; and removes the
segments that they rank lowest or highest, against random ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common import cfg_options, user_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("adapter", type=Path, help="folder with adapter.safetensors and adapter.json")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    parser.add_argument("--draws", type=int, default=3, help="how often segments are removed at random (%(default)s)")
    parser.add_argument("--removed", type=int, nargs="+", metavar="K", help="remove so many segments (1 … all but one)")
    parser.add_argument("--png", type=Path, help="write the picture here")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")
    args = parser.parse_args()

    from dataclasses import asdict

    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.importances.measure import measure
    from lstta_tasks.importances.measured_table import print_measured
    from lstta_tasks.importances.picture import write_picture

    config = load_config(args.config, cfg_options(args.cfg_options))
    measured = measure(config, args.adapter, args.split, draws=args.draws, removed=args.removed)
    print_measured(measured)
    if args.png is not None:
        write_picture(measured, f"{args.adapter}, {args.split}", args.png)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        details = {"adapter": str(args.adapter), "split": args.split, **asdict(measured)}
        args.json.write_text(json.dumps(details, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    with user_errors():
        main()
