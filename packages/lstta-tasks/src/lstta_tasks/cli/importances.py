"""What importances mean: lstta importances avqa/tiny_lstta work_dirs/tiny_lstta/best

Compares them with the seconds that matter, where the data set says which those are; and removes the segments that they
rank lowest or highest, against random ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import ADAPTER, SPLITS, add_config, add_device, add_encoder, cfg_options, parser_of
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("importances", __doc__)
    add_config(parser)
    parser.add_argument("adapter", type=Path, help=ADAPTER)
    parser.add_argument("--split", default="test", choices=SPLITS)
    add_encoder(parser)
    add_device(parser)
    parser.add_argument("--draws", type=int, default=3, help="how often segments are removed at random (%(default)s)")
    parser.add_argument("--removed", type=int, nargs="+", metavar="K", help="remove so many segments (1 … all but one)")
    parser.add_argument("--png", type=Path, help="write the picture here")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    args = parser.parse_args(argv)

    from dataclasses import asdict

    from lstta_tasks.experiment.config import load_config, with_places
    from lstta_tasks.experiment.evaluate import tell_unused
    from lstta_tasks.importances.measure import measure
    from lstta_tasks.importances.measured_table import print_measured
    from lstta_tasks.importances.picture import write_picture

    options = cfg_options(args.cfg_options)
    config = with_places(load_config(args.config, options), args.encoder)
    tell_unused(options, args.adapter)
    measured = measure(config, args.adapter, args.split, draws=args.draws, removed=args.removed, device=args.device)
    print_measured(measured)
    if args.png is not None:
        write_picture(measured, f"{args.adapter}, {args.split}", args.png)
    write_json(args.json, {"adapter": str(args.adapter), "split": args.split, **asdict(measured)})
