"""List the installed plugins and what they register; lstta plugins check NAME tries one of them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, get_args

from lstta_core.plugins import PluginReport, Registration, installed_plugins
from lstta_core.whole_files import json_text
from lstta_tasks.cli.options import add_cfg_options, cfg_options, parser_of

if TYPE_CHECKING:
    from lstta_core.testing import CheckResult

Checked = Literal["encoder", "method", "task"]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse and print; the exit status is 1 where a check failed."""
    parser = parser_of("plugins", __doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with tracebacks of broken plugins")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="")
    check = commands.add_parser("check", help="run the conformance suite on an installed encoder, method or task")
    check.add_argument("name", help="as in configs")
    check.add_argument("--kind", choices=get_args(Checked), help="where several share the name")
    add_cfg_options(check)
    args = parser.parse_args(argv)
    if args.command == "check":
        return _check(_registration(args.name, args.kind), cfg_options(args.cfg_options), as_json=args.json)
    _list(as_json=args.json)
    return 0


def _list(*, as_json: bool) -> None:
    reports = installed_plugins().reports
    if as_json:
        print(json_text([asdict(report) for report in reports], "--json"), end="")
        return
    rows: list[tuple[str, ...]] = [("plugin", "distribution", "state", "kind", "name", "what it is")]
    for report in reports:
        rows += _rows(report)
    _print(rows)


def _rows(report: PluginReport) -> list[tuple[str, ...]]:
    first = (report.name, f"{report.distribution} {report.version}", report.state)
    if report.state != "ok":
        return [(*first, "", "", report.reason)]
    cells = [(r.modality or r.kind, r.name, r.summary) for r in report.registrations]
    rows = [((*first, *cell) if i == 0 else ("", "", "", *cell)) for i, cell in enumerate(cells)]
    return [*(rows or [(*first, "", "", "")]), *(("", "", "refused", "", "", line) for line in report.refused)]


def _registration(name: str, kind: Checked | None) -> Registration:
    plugins = installed_plugins()
    kinds = [kind] if kind else [k for k in get_args(Checked) if plugins.matches(k, name)]
    if len(kinds) == 1:
        return plugins.find(kinds[0], name)
    if kinds:
        named = " and of ".join(f"{'an' if k == 'encoder' else 'a'} {k}" for k in kinds)
        raise ValueError(f"{name!r} is the name of {named}: choose one with --kind")
    names = {k: ", ".join(plugins.names(k)) or "none" for k in get_args(Checked)}
    raise LookupError(
        f"no encoder, method or task is named {name!r}. Encoders: {names['encoder']}. Methods: {names['method']}. "
        f"Tasks: {names['task']}. lstta plugins lists plugins that are broken or disabled."
    )


def _check(registration: Registration, options: dict[str, Any], *, as_json: bool) -> int:
    from lstta_core.testing import CheckResult, run_checks

    subject = _create(registration, options)
    if registration.kind == "task":
        from lstta_tasks.testing import task_checks

        results = task_checks(subject)
    else:
        results = run_checks(subject)
    if registration.kind == "encoder":
        fits = subject.modality == registration.modality
        reason = "" if fits else f"registered as {registration.modality}, the encoder says {subject.modality}"
        results.append(CheckResult("test_is_of_the_registered_modality", fits, reason))
    if as_json:
        print(json_text([{**asdict(result), "state": _state(result)} for result in results], "--json"), end="")
    else:
        rows = [(result.name.removeprefix("test_"), _state(result), _why(result)) for result in results]
        _print([("check", "state", "why"), *rows])
        states = [row[1] for row in rows]
        counts = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped"))
        print(f"\n{registration.kind} {registration.name!r}: {counts}")
    return int(not all(result.passed for result in results))


def _create(registration: Registration, options: dict[str, Any]) -> Any:
    from lstta_core.interfaces import Encoder, Method
    from lstta_tasks.task import Task

    factory, what = registration.load(), f"{registration.kind} {registration.name!r}"
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        raise ValueError(f"{what}: {error}; give its arguments with --cfg-options KEY=VALUE") from error
    subject = factory(**options)
    kinds: dict[str, type] = {"encoder": Encoder, "method": Method, "task": Task}
    wanted = kinds[registration.kind]
    if not isinstance(subject, wanted):
        raise ValueError(f"{what}: {registration.target} gives a {type(subject).__name__}, no {wanted.__name__}")
    return subject


def _state(result: CheckResult) -> str:
    return "failed" if not result.passed else "skipped" if result.reason else "passed"


def _why(result: CheckResult) -> str:
    """One line, also of errors that are written over many."""
    return " ".join(result.reason.removeprefix("not run: ").split())


def _print(rows: Sequence[Sequence[str]]) -> None:
    """A table; the last column may be of any width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
