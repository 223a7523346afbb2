"""Evaluate an adapter folder: lstta test avqa/tiny_lstta work_dirs/tiny_lstta/best

For the classes of a task that picks from a list: lstta test CONFIG ADAPTER --classes --confusion confusion.png
For every answer with all probabilities:         lstta test CONFIG ADAPTER --predictions answers.jsonl answers.csv
For what each modality is worth at test:         lstta test CONFIG ADAPTER --without visual audio language
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstta_tasks.cli.options import (
    ADAPTER,
    SPLITS,
    add_config,
    add_device,
    add_encoder,
    add_launcher,
    cfg_options,
    parser_of,
)
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("test", __doc__)
    add_config(parser)
    parser.add_argument("adapter", type=Path, help=ADAPTER)
    parser.add_argument("--split", default="test", choices=SPLITS)
    add_encoder(parser)
    parser.add_argument("--json", type=Path, help="write scores and predictions here")
    said = "write sample, truth, prediction and all probabilities into each of these: .jsonl or .csv"
    parser.add_argument("--predictions", nargs="+", type=Path, metavar="FILE", default=[], help=said)
    parser.add_argument("--classes", action="store_true", help="precision, recall and F1 by class, and the confusion")
    parser.add_argument("--confusion", type=Path, metavar="PNG", help="draw the confusion matrix here")
    said = "scores with a modality missing, each in turn; several at once are joined by +, as in visual+audio"
    parser.add_argument("--without", nargs="+", metavar="MODALITY", default=[], help=said)
    add_device(parser)
    add_launcher(parser)
    args = parser.parse_args(argv)

    from lstta_tasks.experiment.config import load_config, with_places
    from lstta_tasks.experiment.evaluate import evaluate, tell_unused
    from lstta_tasks.experiment.report_table import print_report
    from lstta_tasks.experiment.rows import check_suffix, write_rows

    files = [check_suffix(path) for path in args.predictions]
    classes = args.classes or args.confusion is not None
    options = cfg_options(args.cfg_options)
    config = with_places(load_config(args.config, options), args.encoder)
    tell_unused(options, args.adapter)
    report, details = evaluate(
        config,
        args.adapter,
        args.split,
        args.launcher,
        choices=bool(files),
        classes=classes,
        without=args.without,
        device=args.device,
    )
    if not report.scores:  # not the first rank
        return
    print_report(report, details)
    if args.without:
        from lstta_tasks.experiment.missing import print_losses

        print_losses(details["scores"], details["without"], report.primary)
    if classes:
        _show_classes(details, printed=args.classes, picture=args.confusion)
    for path in files:
        write_rows(path, details["rows"])
    write_json(args.json, details)


def _show_classes(details: dict[str, Any], *, printed: bool, picture: Path | None) -> None:
    from lstta_tasks.answers.class_table import class_table, each_class
    from lstta_tasks.experiment.class_tables import print_classes

    truth, said = each_class(*([row[key] for row in details["rows"]] for key in ("truth", "prediction")))
    table = class_table(truth, said, details["classes"])
    if printed:
        print_classes(table)
    if picture is not None:
        from lstta_tasks.explain.confusion import save_picture

        save_picture(table, f"{details['split']} split, {len(truth):,} answers: truth and what was said", picture)
