#!/usr/bin/env python3
"""Train a config's adapter, selecting on val: tools/train.py configs/avqa/tiny_lstta.py"""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

from common import cfg_options, user_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--work-dir", type=Path, help="run folder (default: work_dirs/ and the config's name)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the run folder")
    parser.add_argument("--from", type=Path, metavar="ADAPTER", dest="start", help="begin with another task's adapter")
    parser.add_argument("--amp", action="store_true", help="mixed precision; needs a GPU")
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")
    parser.add_argument("--launcher", choices=("none", "pytorch"), default="none", help="pytorch under torchrun")
    parser.add_argument("--local-rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help="instead of the config's")
    args = parser.parse_args()
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))

    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.training.train import train

    pairs = [*(args.cfg_options or ()), *([] if args.seed is None else [f"seed={args.seed}"])]
    options = [] if args.start is None else ["--from", str(args.start)]
    options += ["--cfg-options", *pairs] if pairs else []
    work_dir = args.work_dir or Path("work_dirs") / args.config.stem
    train(
        load_config(args.config, cfg_options(pairs)),
        work_dir=work_dir,
        resume=args.resume,
        amp=args.amp,
        launcher=args.launcher,
        start=args.start,
        command=shlex.join(["tools/train.py", str(args.config), *options]),
    )
    print(f"run folder: {work_dir}; the best adapter: {work_dir / 'best'}")


if __name__ == "__main__":
    with user_errors():
        main()
