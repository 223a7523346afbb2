"""Run a study and show its table: lstta compare main

Makes the runs that have no result file yet, one after the other, and then prints the table. A run that was killed goes
on where it was. Several processes may do this at once, on one file system (--jobs) or on several (--part).
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstta_tasks.cli.options import cfg_options, keep_freed_memory, parser_of
from lstta_tasks.data.cores import usable_cores
from lstta_tasks.escaped import escaped

if TYPE_CHECKING:
    from lstta_tasks.study.definition import Run, Study
    from lstta_tasks.study.results import StudyResults


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("compare", __doc__)
    parser.allow_abbrev = False
    parser.add_argument("study", help="name of a shipped study (lstta configs --studies), or a file")
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("--prepare", action="store_true", help="only generate and decode the data that the study names")
    todo.add_argument("--list", action="store_true", help="only list the runs that are missing, and what they cost")
    todo.add_argument("--report", action="store_true", help="only show the results that are there")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="I/N", help="only the I-th of N parts of the runs"
    )
    parser.add_argument("--most", type=int, help="make so many runs at most")
    parser.add_argument("--only", nargs="+", metavar="KEY", help="only these methods and tasks")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/studies"), help="holds the run folders")
    parser.add_argument("--where", nargs="+", metavar="KEY=VALUE", help="where data, caches and encoders are, as a.b=c")
    parser.add_argument(
        "--so-far",
        action="store_true",
        help="count searches that are not complete with what they have: in a --report, and in a study that takes what "
        "another one finds",
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--csv", type=Path, help="write every run here")
    parser.add_argument("--json", type=Path, help="write means, deviations and every run here")
    parser.add_argument("--figure", type=Path, help="draw scores against trainable parameters, a PNG file")
    args = parser.parse_args(argv)
    _check_together(parser, args)

    from lstta_tasks.study.definition import load_study
    from lstta_tasks.study.make import make_missing, part_of, results_of
    from lstta_tasks.study.run_config import placed

    keep_freed_memory()
    study = load_study(args.study)
    if args.so_far and not args.report and study.found is None:
        parser.error(f"--so-far: runs of {study.path} wait until its own search is complete; with --report it counts")
    mine, (methods, tasks) = part_of(*args.part), _asked(study, args.only or [])
    study = placed(study, cfg_options(args.where, "--where"), tasks)

    def asked(run: Run) -> bool:
        return run.method in methods and run.task in tasks

    def wanted(run: Run) -> bool:
        return mine(run) and asked(run)

    if args.prepare:
        _prepare(study, tasks)
        return
    results = results_of(study, so_far=args.so_far)
    if args.list:
        _list(results, wanted)
        return
    if not args.report:
        if args.jobs > 1:
            _in_parallel(args)
        else:
            make_missing(study, work_dir=args.work_dir, wanted=wanted, most=args.most, so_far=args.so_far)
        results.refresh()
    _show(study, results, asked, args)


def _check_together(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Ends with an error where an option would do nothing."""
    outputs = ("markdown", "csv", "json", "figure")
    idle = {
        "prepare": (*outputs, "most", "jobs", "part"),
        "list": (*outputs, "most", "jobs"),
        "report": ("most", "jobs", "part"),
    }
    for only, options in idle.items():
        named = [f"--{option}" for option in options if getattr(args, option) != parser.get_default(option)]
        if getattr(args, only) and named:
            parser.error(f"--{only} does not go with {', '.join(named)}, which would do nothing")
    if args.jobs > 1 and args.most is not None:
        parser.error("--most is for one process: leave --jobs out")


def _asked(study: Study, keys: list[str]) -> tuple[list[str], list[str]]:
    """The methods and the tasks among the keys; all where none is named."""
    if unknown := [key for key in keys if key not in {**study.methods, **study.tasks}]:
        raise ValueError(f"--only {unknown[0]}: the study has {', '.join([*study.methods, *study.tasks])}")
    methods, tasks = ([key for key in known if key in keys] or list(known) for known in (study.methods, study.tasks))
    return methods, tasks


def _prepare(study: Study, tasks: list[str]) -> None:
    from lstta_tasks.experiment.config import load_config

    for key in tasks:
        task = study.tasks[key]
        settings = {**study.settings, **task.settings, **study.where}
        root = load_config(task.config, settings).task.get("root")
        config = [str(task.config), "--cfg-options", *(f"{name}={value}" for name, value in settings.items())]
        for command in task.prepare:
            arguments = shlex.split(command)
            if "ROOT" in arguments and root is None:
                raise ValueError(f"{study.path}: tasks.{key}: ROOT stands for task.root, which {task.config} has not")
            arguments = [str(root) if word == "ROOT" else word for word in arguments]
            if "CONFIG" in arguments:
                at = arguments.index("CONFIG")
                arguments[at : at + 1] = config
            print(f"\n── {key}: lstta {shlex.join(arguments)}", flush=True)
            if code := subprocess.run([sys.executable, "-Pm", "lstta_tasks", *arguments]).returncode:
                raise SystemExit(code)


def _list(results: StudyResults, wanted: Callable[[Run], bool]) -> None:
    missing = [run for run in results.missing() if wanted(run)]
    for run in missing:
        print(f"{run.name}: about {results.seconds(run):.0f} s")
    total = sum(results.seconds(run) for run in missing)
    print(f"{len(missing)} runs, about {total / 60:.0f} minutes one after the other")
    if waiting := [run for run in results.waiting() if wanted(run)]:
        minutes = sum(map(results.seconds, waiting)) / 60
        print(f"up to {len(waiting)} more once the search has found their setting, about {minutes:.0f} minutes")


def _in_parallel(args: argparse.Namespace) -> None:
    """So many processes, which share out the runs and the cores. Their tables are not shown: this one's is."""
    part = "{}/{}".format(*args.part)
    command = [
        sys.executable,
        "-Pm",
        "lstta_tasks",
        "compare",
        args.study,
        "--part",
        part,
        "--work-dir",
        str(args.work_dir),
    ]
    for option, values in (("--only", args.only), ("--where", args.where)):
        command += [option, *values] if values else []
    command += ["--so-far"] if args.so_far else []
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, usable_cores() // args.jobs)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    children = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(args.jobs)]
    codes = [child.wait() for child in children]
    if any(codes):
        raise SystemExit(1)


def _show(study: Study, results: StudyResults, asked: Callable[[Run], bool], args: argparse.Namespace) -> None:
    """The table of all runs that are asked for, whichever part of them this process has made."""
    from lstta_tasks.study.figure import draw
    from lstta_tasks.study.study_table import print_table
    from lstta_tasks.study.summary import summarise, write_csv, write_summary

    diverged = {run: reason for run, reason in results.diverged().items() if asked(run)}
    for run, reason in diverged.items():
        print(f"{run.name} diverged, and is in no table: {escaped(reason)}")
    finished = {run: result for run, result in results.finished().items() if asked(run)}
    where = escaped(str(study.results.resolve()))
    outputs = [path for path in (args.csv, args.json, args.figure) if path is not None]
    if not finished:
        made = sum(map(asked, results.made()))
        so_far = f"; of its search {made} are, which --so-far shows" if made else ""
        if study.found is not None and not args.so_far and any(map(asked, results.waiting())):
            so_far = f"; --so-far takes the values that {study.found.study} has found so far"
        unwritten = f"; not written: {escaped(', '.join(map(str, outputs)))}" if outputs else ""
        print(f"no run of the tables is finished in {where}{so_far}{unwritten}")
        _name_unused(results)
        return
    summary = summarise(study, finished)
    print_table(summary, markdown=args.markdown)
    for path in outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
    if args.csv is not None:
        write_csv(args.csv, finished)
    if args.json is not None:
        write_summary(args.json, study, summary, finished, diverged)
    if args.figure is not None:
        draw(args.figure, summary)
    shown = {study.place_of(run.task, run.method) for run in finished}
    for place, count in results.open().items():
        if place in shown:
            print(f"{place.task}, {place.method}: {count} of the search's values not tried yet")
    if left := len(results.missing()) + len(results.waiting()):
        print(f"{left} runs of the study are missing in {where}: lstta compare {args.study} --list")
    _name_unused(results)


def _name_unused(results: StudyResults) -> None:
    if unused := results.unused():
        names = ", ".join(unused[:3]) + (f" and {len(unused) - 3} more" if len(unused) > 3 else "")
        why = "of a value that no search has found yet, or of a run that the study has not"
        print(f"{len(unused)} result files do not count, each {why}: {escaped(names)}")


def _part(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"wants I/N, such as 1/2, got {text!r}")
    return int(index), int(count)
