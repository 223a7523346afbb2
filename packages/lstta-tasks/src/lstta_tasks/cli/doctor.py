"""Look for what is wrong with a config's data set before training: lstta doctor avqa/tiny_lstta

Exit status: 1 where something would stop or spoil training, 0 otherwise, warnings included.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import SPLITS, add_config, cfg_options, parser_of
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> int:
    """Examine and print; returns the exit status."""
    parser = parser_of("doctor", __doc__)
    add_config(parser)
    parser.add_argument("--split", nargs="+", choices=SPLITS, help="default: all three")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found here")
    parser.add_argument("--skip", type=Path, metavar="FILE", help="write a list for lstta cache build --skip here")
    parser.add_argument(
        "--decode", action="store_true", help="decode every clip as lstta cache build does, rather than look at it"
    )
    parser.add_argument(
        "--workers",
        type=int,
        help="threads that look (default: two a core), processes that decode (one)",
    )
    args = parser.parse_args(argv)

    from lstta_core.whole_files import write_text
    from lstta_tasks.doctor.examine import examine
    from lstta_tasks.doctor.report import as_json, print_diagnosis, skip_list
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment

    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    preprocessing = experiment.preprocessing
    diagnosis = examine(
        experiment.task,
        experiment.specs,
        segments=preprocessing.segments,
        splits=args.split,
        workers=args.workers,
        preprocessing=preprocessing,
        decode=args.decode,
    )
    print_diagnosis(diagnosis)
    write_json(args.json, as_json(diagnosis))
    if args.skip is not None:
        write_text(args.skip, skip_list(diagnosis))
    return int(diagnosis.count("error") > 0)
