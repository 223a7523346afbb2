"""Decode a config's clips once, into an LMDB cache: lstta cache build avqa/tiny_lstta

Many machines build one together: lstta cache build CONFIG --ray auto, on a node of a Ray cluster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstta_tasks.cli.options import SPLITS, add_config, add_device, cfg_options, parser_of
from lstta_tasks.escaped import escaped

if TYPE_CHECKING:
    from lstta_tasks.data.cache import CacheReader
    from lstta_tasks.data.cache_shards import CacheSet


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("cache", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="decode what is not in the cache yet")
    _of_a_config(build)
    build.add_argument("--workers", type=int, help="decoding processes (default: one a core; with --ray one a shard)")
    build.add_argument("--codec", choices=("raw", "jpeg"), help="how frames are stored (default: the config's)")
    _in_shards(build)
    build.add_argument("--time-limit", type=float, default=120.0, metavar="SECONDS", help="for one clip (default: 120)")
    build.set_defaults(run=_build)
    prefix = commands.add_parser(
        "prefix", aliases=["features"], help="run the frozen prefix once, into the config's clips.prefix"
    )
    _of_a_config(prefix)
    _in_shards(prefix)
    prefix.add_argument("--threads", type=int, default=1, help="with --ray: that compute a shard (default: 1)")
    add_device(prefix)
    prefix.set_defaults(run=_prefix)
    info = commands.add_parser("info", help="what a cache holds, and which clips failed")
    info.set_defaults(run=_info)
    verify = commands.add_parser("verify", help="read everything and compare checksums")
    verify.set_defaults(run=_verify)
    export = commands.add_parser("export", help="one clip as PNG and WAV files, to look at")
    export.set_defaults(run=_export)
    for command in (info, verify, export):
        command.add_argument("cache", type=Path)
    export.add_argument("id", help="of the clip")
    export.add_argument("--out", type=Path, help="folder (default: the clip's id)")
    prune = commands.add_parser("prune", help="remove clips that the config does not name any more")
    _of_a_config(prune)
    prune.set_defaults(run=_prune)
    args = parser.parse_args(argv)
    args.run(args)


def _of_a_config(command: argparse.ArgumentParser) -> None:
    add_config(command)
    command.add_argument("--split", nargs="+", choices=SPLITS, help="default: every split that is there")
    command.add_argument("--skip", type=Path, metavar="FILE", help="clip ids to leave out, one a line, # for comments")


def _in_shards(command: argparse.ArgumentParser) -> None:
    alone = command.add_mutually_exclusive_group()
    alone.add_argument("--shard", type=_shard, metavar="I/N", help="build one of N parts, each its own folder")
    said = "build all parts on a Ray cluster: auto for this machine's, or its head node's HOST:PORT"
    alone.add_argument("--ray", metavar="ADDRESS", help=said)
    said = "with --ray: how many parts (default: those there are, or four a core)"
    command.add_argument("--shards", type=_count, metavar="N", help=said)


def _build(args: argparse.Namespace) -> None:
    from lstta_tasks.data.build_cache import build_cache
    from lstta_tasks.data.cache import open_cache
    from lstta_tasks.data.features import needs_clips
    from lstta_tasks.data.skip_list import read_skip_list
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment

    skip = read_skip_list(args.skip) if args.skip else frozenset()
    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    if not needs_clips(experiment.used):
        print("nothing to decode: this config's encoders read features from files, and no clips")
        return
    sources = experiment.task.sources(args.split)
    clips = experiment.config.clips
    what = (clips.cache, sources, experiment.preprocessing)
    options = {"codec": args.codec or clips.codec, "time_limit": args.time_limit, "skip": skip}
    if args.ray is None:
        report = build_cache(*what, workers=args.workers, shard=args.shard, **options)
    else:
        from lstta_tasks.cluster.caches import build_cache_on
        from lstta_tasks.cluster.on_ray import connected

        with connected(args.ray) as cluster:
            report = build_cache_on(cluster, *what, workers=args.workers or 1, shards=args.shards, **options)
    skipped = f"{report.skipped:,} skipped, " if args.skip else ""
    print(
        f"{escaped(str(report.path))}: {report.total:,} clips, {report.built:,} decoded now, "
        f"{report.reused:,} there already, {skipped}{len(report.failed):,} failed, {report.seconds:.0f} s"
    )
    if unknown := len(skip - {source.id for source in sources}):
        print(f"  {unknown:,} of the ids in {args.skip} name no clip of this config", file=sys.stderr)
    if report.replaced:
        print(f"  {len(report.replaced):,} clips of other files were there, and are replaced:", file=sys.stderr)
        _list(report.replaced, most=10)
    _tell_what_lacks(open_cache(report.path))
    _list(report.failed, most=10, where="; lstta cache info lists them all")


def _prefix(args: argparse.Namespace) -> None:
    if args.command == "features":
        print("lstta cache features is called lstta cache prefix now", file=sys.stderr)
    options = cfg_options(args.cfg_options)
    if args.ray is None:
        from lstta_tasks.device import device_of
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.parts import Experiment
        from lstta_tasks.prefix.build import build_prefix

        device_of(args.device)  # refuses one that is not there before anything is read
        experiment = Experiment(load_config(args.config, options))
        report = build_prefix(experiment, args.split, args.shard, where=args.device)
    else:
        from lstta_tasks.cluster.caches import build_prefix_on
        from lstta_tasks.cluster.on_ray import connected

        with connected(args.ray) as cluster:
            report = build_prefix_on(
                cluster, args.config, options, args.split, threads=args.threads, shards=args.shards, where=args.device
            )
    print(
        f"{escaped(str(report.path))}: {report.built:,} states computed now, {report.reused:,} there already, "
        f"{report.bytes / 1e6:,.1f} MB"
    )


def _info(args: argparse.Namespace) -> None:
    from lstta_tasks.data.cache import open_cache

    reader = open_cache(args.cache)
    states = "features" in reader.meta
    what = "states" if states else "clips"
    print(f"{escaped(str(args.cache))}: {len(reader):,} {what}, {len(reader.failures):,} failed")
    for key, value in reader.meta.items():
        print(f"  {escaped(key)}: {escaped(str(value))}")
    if not states:
        _tell_what_lacks(reader)
    _list(reader.failures)


def _verify(args: argparse.Namespace) -> None:
    from lstta_tasks.data.verify_cache import verify_cache

    clips, damaged = verify_cache(args.cache)
    print(f"{escaped(str(args.cache))}: {clips:,} clips read, {len(damaged):,} damaged")
    _list(damaged)
    if damaged:
        raise SystemExit(1)


def _export(args: argparse.Namespace) -> None:
    from lstta_tasks.annotations.files import leads_out
    from lstta_tasks.data.cache import open_cache
    from lstta_tasks.data.export_clip import export_clip

    reader = open_cache(args.cache)
    rate = reader.meta["preprocessing"]["sample_rate"]
    if args.out is None and leads_out(args.id):
        raise ValueError(f"the id {args.id!r} leads out of this folder: say with --out where to")
    paths = export_clip(reader.read(args.id), args.out or Path(args.id), rate)
    print(f"{len(paths)} files in {escaped(str(paths[0].parent))}")


def _prune(args: argparse.Namespace) -> None:
    from lstta_tasks.data.build_cache import prune_cache
    from lstta_tasks.data.skip_list import read_skip_list
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment

    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    path = experiment.config.clips.cache
    skip = read_skip_list(args.skip) if args.skip else frozenset()
    removed = prune_cache(path, {source.id for source in experiment.task.sources(args.split)} - skip)
    print(f"{escaped(str(path))}: {removed:,} clips removed")


def _tell_what_lacks(reader: CacheReader | CacheSet) -> None:
    """Silent clips are no failures, but nobody should have to find out by accident that there are many."""
    headers = [reader.header(clip) for clip in reader.ids()]
    for what in ("sound", "video"):
        if lacking := sum(not header[f"has_{what}"] for header in headers):
            print(f"  {lacking:,} clips without {what}: the model takes that modality as absent")


def _list(reasons: Mapping[str, str], most: int | None = None, where: str = "") -> None:
    for clip, reason in list(reasons.items())[:most]:
        print(f"  {escaped(clip)}: {escaped(reason)}", file=sys.stderr)
    if most is not None and len(reasons) > most:
        print(f"  … and {len(reasons) - most:,} more{where}", file=sys.stderr)


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit()):
        raise argparse.ArgumentTypeError(f"wants I/N, such as 0/4, got {text!r}")
    return int(index), int(count)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"wants a number of 1 or more, got {text!r}")
    return int(text)
