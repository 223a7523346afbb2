"""Train a config's adapter, selecting on val: lstta train avqa/tiny_lstta"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import add_config, add_device, add_launcher, cfg_options, keep_freed_memory, parser_of
from lstta_tasks.escaped import escaped


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("train", __doc__)
    add_config(parser)
    parser.add_argument("--work-dir", type=Path, help="run folder (default: work_dirs/ and the config's name)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the run folder")
    parser.add_argument("--from", type=Path, metavar="ADAPTER", dest="start", help="begin with another task's adapter")
    parser.add_argument("--amp", action="store_true", help="mixed precision; needs a GPU")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--dry-run", action="store_true", help="take a step, say what the run will cost, write nothing")
    add_device(parser)
    add_launcher(parser)
    args = parser.parse_args(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))

    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.training.train import train

    keep_freed_memory()
    pairs = [*(args.cfg_options or ()), *([] if args.seed is None else [f"seed={args.seed}"])]
    options = [] if args.start is None else ["--from", str(args.start)]
    options += ["--cfg-options", *pairs] if pairs else []
    work_dir = args.work_dir or Path("work_dirs") / Path(args.config).stem
    config = load_config(args.config, cfg_options(pairs))
    if args.dry_run:
        if args.launcher != "none":
            raise ValueError("--dry-run: one process says what the run will cost; leave --launcher out")
        from lstta_tasks.training.dry_run import dry_run

        again = {"resume": args.resume, "amp": args.amp}
        print(dry_run(config, work_dir=work_dir, **again, start=args.start, where=args.device))
        return
    train(
        config,
        work_dir=work_dir,
        resume=args.resume,
        amp=args.amp,
        launcher=args.launcher,
        start=args.start,
        device=args.device,
        command=shlex.join(["lstta", "train", args.config, *options]),
    )
    print(escaped(f"run folder: {work_dir}; the best adapter: {work_dir / 'best'}"))
