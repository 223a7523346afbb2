#!/usr/bin/env python3
"""Decode a config's clips once, into an LMDB cache: tools/cache.py build configs/avqa/tiny_lstta.py"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common import cfg_options, user_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="decode what is not in the cache yet")
    build.add_argument("config", type=Path)
    build.add_argument(
        "--split", nargs="+", choices=("train", "val", "test"), help="default: every split that is there"
    )
    build.add_argument("--workers", type=int, help="decoding processes (default: one a core)")
    build.add_argument("--codec", choices=("raw", "jpeg"), help="how frames are stored (default: the config's)")
    build.add_argument("--shard", type=_shard, metavar="I/N", help="build one of N parts, each its own folder")
    build.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")
    info = commands.add_parser("info", help="what a cache holds, and which clips failed")
    info.add_argument("cache", type=Path)
    args = parser.parse_args()
    if args.command == "build":
        _build(args)
    else:
        _info(args.cache)


def _build(args: argparse.Namespace) -> None:
    from lstta_tasks.data.build_cache import build_cache
    from lstta_tasks.engine.config import load_config
    from lstta_tasks.engine.experiment import Experiment

    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    sources = experiment.sources(args.split)
    clips = experiment.config.clips
    report = build_cache(
        clips.cache,
        sources,
        experiment.preprocessing,
        codec=args.codec or clips.codec,
        workers=args.workers,
        shard=args.shard,
    )
    print(
        f"{report.path}: {report.total:,} clips, {report.built:,} decoded now, {report.reused:,} there already, "
        f"{len(report.failed):,} failed, {report.seconds:.0f} s"
    )
    _list(report.failed)


def _info(path: Path) -> None:
    from lstta_tasks.data.cache import open_cache

    reader = open_cache(path)
    print(f"{path}: {len(reader):,} clips, {len(reader.failures):,} failed")
    for key, value in reader.meta.items():
        print(f"  {key}: {value}")
    _list(reader.failures)


def _list(failures: dict[str, str], most: int = 10) -> None:
    for clip, reason in list(failures.items())[:most]:
        print(f"  {clip}: {reason}", file=sys.stderr)
    if len(failures) > most:
        print(f"  … and {len(failures) - most:,} more; tools/cache.py info lists them all", file=sys.stderr)


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit()):
        raise argparse.ArgumentTypeError(f"wants I/N, such as 0/4, got {text!r}")
    return int(index), int(count)


if __name__ == "__main__":
    with user_errors():
        main()
