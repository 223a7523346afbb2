"""Features in place of encoders: write those of ours, convert those of others, look into files.

lstta features extract avqa/tiny_lstta --out data/features/avqa
lstta features convert MOSEI/unaligned_50.pkl --out data/features/mosei
lstta features info data/features/avqa/visual.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import SPLITS, add_config, add_device, cfg_options, parser_of
from lstta_tasks.escaped import escaped

MODALITIES = ("visual", "audio", "language")


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("features", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    extract = commands.add_parser("extract", help="what a config's frozen encoders make of its clips and texts")
    add_config(extract)
    extract.add_argument("--split", nargs="+", choices=SPLITS, help="default: every split that is there")
    extract.add_argument("--only", nargs="+", choices=MODALITIES, help="default: all that the config has")
    add_device(extract)
    extract.set_defaults(run=_extract)
    convert = commands.add_parser("convert", help="a pickle of MMSA's or UR-FUNNY's; nothing in it is run")
    convert.add_argument("pickle", type=Path, metavar="FILE.pkl")
    convert.add_argument("--context", action="store_true", help="take UR-FUNNY's context in, before the punchline")
    convert.set_defaults(run=_convert)
    for command in (extract, convert):
        command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the files")
        command.add_argument("--format", default="npz", choices=("npz", "h5"), help="of the files (default: npz)")
    info = commands.add_parser("info", help="how many ids a file has, and the arrays of a few")
    info.add_argument("file", type=Path, metavar="FILE|FOLDER")
    info.add_argument("--inside", default="", metavar="NAME", help="the group of an HDF5 file that holds them")
    info.set_defaults(run=_info)
    args = parser.parse_args(argv)
    args.run(args)


def _extract(args: argparse.Namespace) -> None:
    from lstta_core.interfaces import Modality
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment
    from lstta_tasks.features.extract import CONFIG, extract

    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    modalities = [Modality(one) for one in args.only or MODALITIES]
    for one in extract(experiment, args.out, args.split, modalities=modalities, form=args.format, where=args.device):
        print(f"{escaped(str(one.path))}: features of {one.count:,} {one.modality} inputs, {_size(one.path)}")
    print(f"a config's section that reads them: {escaped(str(args.out / CONFIG))}")


def _convert(args: argparse.Namespace) -> None:
    from lstta_tasks.features.convert import convert

    for one in convert(args.pickle, args.out, form=args.format, context=args.context):
        zeroed = f"; {one.zeroed:,} numbers that were NaN or infinite are 0" if one.zeroed else ""
        print(f"{escaped(str(one.path))}: {one.count:,} clips, width={one.width}, {_size(one.path)}{zeroed}")


def _info(args: argparse.Namespace) -> None:
    from lstta_tasks.features.containers import open_container

    container = open_container(args.file, args.inside)
    names = list(container.names())
    print(
        f"{escaped(str(args.file))}: {len(names):,} arrays, made by {escaped(container.said() or '(it does not say)')}"
    )
    for name in names[:6]:
        array = container.array(name)
        print(f"  {escaped(name)}: {array.dtype} of shape {array.shape}")


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB"
