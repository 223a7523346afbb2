"""What names of files and clips may do to a terminal: nothing."""

from __future__ import annotations

import pytest

from lstta_tasks.cli.options import parser_of, user_errors
from lstta_tasks.escaped import escaped


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
