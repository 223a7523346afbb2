"""Make an index of clips with a retrieval adapter, and search it by text.

lstta retrieve index retrieval/tiny_lstta work_dirs/retrieval/best --split test --out index.npz
lstta retrieve index work_dirs/retrieval/best --folder my_videos --out index.npz
lstta retrieve search work_dirs/retrieval/best index.npz "a violin on the left, and a voice speaks"
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import ADAPTER, SPLITS, add_cfg_options, add_device, cfg_options, parser_of
from lstta_tasks.cli.output import print_json
from lstta_tasks.escaped import escaped, printable


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("retrieve", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    index = commands.add_parser("index", help="embed the clips of a split or of a folder")
    index.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="[CONFIG] ADAPTER")
    index.add_argument("--folder", type=Path, help="of video files; then no config is needed")
    index.add_argument("--split", default="test", choices=SPLITS, help="of the config's data")
    index.add_argument("--out", type=Path, required=True, help="the index, an npz file")
    add_device(index)
    add_cfg_options(index)
    index.set_defaults(run=_index)
    search = commands.add_parser("search", help="the clips that fit a text best")
    search.add_argument("adapter", type=Path, help=ADAPTER)
    search.add_argument("index", type=Path)
    search.add_argument("text", help="what should be seen and heard")
    search.add_argument("--top", type=int, default=5, help="how many clips (default: 5)")
    search.add_argument("--json", action="store_true", help="print JSON")
    add_device(search)
    search.set_defaults(run=_search)
    args = parser.parse_args(argv)
    args.run(args)


def _index(args: argparse.Namespace) -> None:
    from lstta_tasks.data.folder import sorted_out
    from lstta_tasks.retrieval.index import index_folder

    if len(args.paths) != (2 if args.folder is None else 1):
        raise ValueError("index wants CONFIG ADAPTER, or ADAPTER --folder FOLDER")
    skipped: dict[str, str] = {}
    if args.folder is not None:
        index, failed = index_folder(args.paths[0], args.folder, device=args.device)
        others = sorted_out(args.folder)[1]
        skipped = {printable(path.relative_to(args.folder).as_posix()): reason for path, reason in others.items()}
    else:
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.evaluate import tell_unused
        from lstta_tasks.retrieval.embed import index_split

        config, adapter = args.paths
        options = cfg_options(args.cfg_options)
        loaded = load_config(config, options)
        tell_unused(options, adapter)
        index, missing = index_split(loaded, adapter, args.split, device=args.device)
        failed = dict.fromkeys(missing, "not in the cache")
    index.save(args.out)
    texts = f" and {len(index.text_ids):,} captions" if index.text_ids else ""
    print(f"{escaped(str(args.out))}: {len(index.clip_ids):,} clips{texts}; {len(failed):,} clips left out")
    for clip, reason in failed.items():
        print(f"  {escaped(clip)}: {escaped(reason)}", file=sys.stderr)
    for file, reason in skipped.items():
        print(f"  {escaped(file)} is skipped: {escaped(reason)}", file=sys.stderr)


def _search(args: argparse.Namespace) -> None:
    from lstta_tasks.retrieval.index import search

    found = search(args.adapter, args.index, args.text, top=args.top, device=args.device)
    if args.json:
        print_json([{"clip": clip, "similarity": cosine} for clip, cosine in found])
        return
    for clip, cosine in found:
        print(f"{cosine:7.4f}  {escaped(clip)}")
