#!/usr/bin/env python3
"""Evaluate an adapter folder: tools/test.py configs/avqa/tiny_lstta.py work_dirs/tiny_lstta/best"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common import cfg_options, user_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("adapter", type=Path, help="folder with adapter.safetensors and adapter.json")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    parser.add_argument("--json", type=Path, help="write scores and predictions here")
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")
    parser.add_argument("--launcher", choices=("none", "pytorch"), default="none", help="pytorch under torchrun")
    parser.add_argument("--local-rank", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()

    from mmengine.dist import is_main_process

    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.evaluate import evaluate
    from lstta_tasks.experiment.report_table import print_report

    config = load_config(args.config, cfg_options(args.cfg_options))
    report, details = evaluate(config, args.adapter, args.split, args.launcher)
    if is_main_process():
        print_report(report, details)
        if args.json is not None:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(details, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    with user_errors():
        main()
