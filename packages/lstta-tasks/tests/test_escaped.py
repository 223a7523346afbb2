"""What names of files and clips may do to a terminal: nothing."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from lstta_tasks.answers.report import Report, Score
from lstta_tasks.cli.options import parser_of, user_errors
from lstta_tasks.escaped import STEERING, escaped, escaped_json
from lstta_tasks.experiment.report_table import print_report
from lstta_tasks.importances.measured_table import _curves
from lstta_tasks.study.study_table import print_table
from lstta_tasks.study.summary import Cell, Line, Summary


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J\x07.mp4", r"\x1b[2J\x07.mp4"),
        ("a\rb\x9b31m", r"a\rb\x9b31m"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\u202egpj.mp4", r"\u202egpj.mp4"),
        ("\udce9", r"\udce9"),
        ("Grüße 👩‍👩‍👧 שלום", "Grüße 👩‍👩‍👧 שלום"),
    ],
)
def test_what_steers_is_escaped(name: str, shown: str) -> None:
    assert escaped(name) == shown


def test_messages_keep_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert escaped("a\n\tb\x1b", lines=True) == "a\n\tb\\x1b"
    with pytest.raises(SystemExit), user_errors():
        raise ValueError("a\n  \x1b[2J.mp4")
    assert capsys.readouterr().err == "error: a\n  \\x1b[2J.mp4\n"


def test_names_that_begin_with_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    parser = parser_of("some", None)
    parser.add_argument("id")
    parser.add_argument("--out")
    commands = parser.add_subparsers()
    commands.add_parser("more").add_argument("ids", nargs="+")
    found = parser.parse_args(["-5KQ66", "--out", "-x.npz", "more", "-a", "-b"])
    assert (found.id, found.out, found.ids) == ("-5KQ66", "-x.npz", ["-a", "-b"])
    with pytest.raises(SystemExit):
        parser.parse_args(["--5KQ66"])
    assert "names that begin with -- stand at the end, after a lone --" in capsys.readouterr().err


EVIL = "\x1b[2J\x9b31m\u202e[/red][bold]"


def test_json_for_a_terminal_says_the_same() -> None:
    said = {EVIL: ["a\n\t", "Grüße", "\udce9"]}
    text = escaped_json(json.dumps(said, ensure_ascii=False, indent=1))
    assert json.loads(text) == said
    assert not STEERING.search(text)
    assert "Grüße" in text


def test_tables_show_names_as_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of classes, of scores and of clips that are missing; none is taken for rich's markup either."""
    monkeypatch.setenv("COLUMNS", "300")
    report = Report(EVIL, (Score(EVIL, 0.5, 2, 0.25, EVIL),), notes=(EVIL,))
    counts = {"trainable_parameters": 1, "total_parameters": 2}
    print_report(report, {"split": "test", "samples": 2, "missing_clips": [EVIL], **counts})
    line = Line(EVIL, EVIL, 1, 2, {"films": Cell({0: 0.5}, None, 3)})
    summary = Summary({"films": EVIL}, {"films": False}, {"films": (0.5, EVIL)}, (line,), 1)
    print_table(summary)
    print_table(summary, markdown=True)
    out = capsys.readouterr().out
    assert not STEERING.search(out)
    assert out.count("[/red][bold]") == 10


def test_titles_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    from lstta_tasks.importances import measured_table

    assert measured_table.escape(EVIL) != EVIL
    Console(width=200).print(_curves(measured_table.escape(escaped(EVIL)), [1], []))
    assert "[/red][bold]" in "".join(capsys.readouterr().out.split()), "a title is as wide as its table"
