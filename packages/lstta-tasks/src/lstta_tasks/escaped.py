"""Names from files, as a terminal may show them: what would steer it is printed as an escape."""

from __future__ import annotations

import re

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves of characters."""


def escaped(text: str, *, lines: bool = False) -> str:
    r"""The text with ``\x1b`` and the like for what steers a terminal.

    Args:
        text: a name, or a message that holds some.
        lines: leave ends of lines and tabs as they are, which messages of several lines have.
    """
    text = STEERING.sub(_escape, text)
    return text if lines else text.replace("\n", r"\n").replace("\t", r"\t")


def escaped_json(text: str) -> str:
    """JSON that says the same, with the escapes of JSON for what steers a terminal."""
    return STEERING.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def printable(name: str) -> str:
    """A name that is no Unicode text in quotes and escaped; every other as it is."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return repr(name)
    return name


def _escape(match: re.Match[str]) -> str:
    return ascii(match.group())[1:-1]
