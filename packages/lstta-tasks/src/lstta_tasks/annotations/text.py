"""Text as it was written: the one place that turns the bytes of CSV files, subtitles and JSON into letters.

UTF-8 comes first, then UTF-16 with a byte order mark, then the encoding that somebody names. Nothing else is guessed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path

OPTION = "task.encoding"
"""What names an encoding, unless a message says otherwise."""
MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8-r", "mac-roman", "cp437", "cp850"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)
"""Encodings that a message proposes, where the whole file can be read in them."""
MOST = 4  # candidates that a message shows
SHOWN = 24  # letters of the line around the byte that a candidate shows
SEVEN_BITS = re.compile(r"iso2022|hz|utf-7")
"""Encodings whose every file is ASCII too."""


def read_text(
    path: Path,
    encoding: str | None = None,
    *,
    option: str = OPTION,
    fallback: str | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> str:
    """The text of a file, without its byte order mark; line ends as they are.

    Args:
        path: of the file.
        encoding: of a file that is neither UTF-8 nor UTF-16 with a mark.
        option: what names the encoding, for the message.
        fallback: read the lines that are not UTF-8 in this one, where no encoding is named.
        note: is told that the fallback was needed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is in none of these encodings, or there is no encoding of that name.
    """
    content = path.read_bytes()
    if encoding is not None:
        check_encoding(encoding, option)
        if SEVEN_BITS.match(codecs.lookup(encoding).name) and content.isascii():
            return _decoded(content, encoding, path)
    if content.startswith(codecs.BOM_UTF8):
        return _without_zeros(_decoded(content, "utf-8", path), path).removeprefix("\ufeff")
    mark = next((mark for mark in MARKS if content.startswith(mark)), None)
    if mark is not None:
        return _without_zeros(_decoded(content, MARKS[mark], path), path)
    try:
        text = content.decode("utf-8")
        if "\0" not in text:
            return text
        place = content.index(b"\0")
    except UnicodeDecodeError as error:
        place = error.start
    if encoding is not None:
        return _without_zeros(_decoded(content, encoding, path), path)
    if fallback is not None and content[place]:
        return _by_lines(content, fallback, path, place, note)
    raise ValueError(_unreadable(content, place, path, option))


def check_encoding(encoding: str, option: str = OPTION) -> None:
    """Raise a ValueError where Python knows no encoding of text by this name."""
    try:
        if isinstance(encoding, str) and codecs.lookup(encoding)._is_text_encoding:
            return
    except (LookupError, ValueError):
        pass
    raise ValueError(f"{option}: no encoding is called {encoding!r}; Python's names are wanted, such as cp1252, utf-16")


def _decoded(content: bytes, encoding: str, path: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        byte, where = content[error.start], _place(content, error.start)
        raise ValueError(f"{path}: byte 0x{byte:02X} {where} is not {encoding} ({error.reason})") from error
    except (UnicodeError, LookupError) as error:
        raise ValueError(f"{path}: not {encoding} ({error})") from error


def _by_lines(content: bytes, fallback: str, path: Path, place: int, note: Callable[[str], None]) -> str:
    """Lines that are UTF-8 as that, and the others in the fallback."""
    mended = 0
    parts = []
    for line in content.split(b"\n"):
        try:
            parts.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            parts.append(_decoded(line, fallback, path))
            mended += 1
    byte, where = content[place], _place(content, place)
    note(f"{path}: {mended} lines are not UTF-8 and were read as {fallback}; the first is byte 0x{byte:02X} {where}")
    return "\n".join(parts)


def _without_zeros(text: str, path: Path) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}, line {line}: a character 0 stands there, which no text has: the file is damaged")
    return text


def _unreadable(content: bytes, place: int, path: Path, option: str) -> str:
    byte, where = content[place], _place(content, place)
    if byte == 0:
        low = b"\0" in content[1:4:2]
        return (
            f"{path}: byte 0x00 {where} is no text in UTF-8; it may be UTF-16 without a byte order mark: "
            f"name it with {option}={'utf-16-le' if low else 'utf-16-be'}, or save the file as UTF-8"
        )
    fitting = list(_candidates(content, place))
    shown = ", ".join(f"{name} (then it reads {text!r})" for name, text in fitting[:MOST])
    named = f"{option}={fitting[0][0]}" if fitting else f"{option}=NAME"
    return (
        f"{path}: byte 0x{byte:02X} {where} is not UTF-8. Candidates: {shown or 'none that is known here'}. "
        f"Name the right one, such as {named}, or save the file as UTF-8"
    )


def _candidates(content: bytes, place: int) -> Iterator[tuple[str, str]]:
    """Encodings of the whole file, with what stands around a byte; each reading once."""
    begin = max(content.rfind(b"\n", 0, place), content.rfind(b"\r", 0, place)) + 1
    seen = set()
    for name in CANDIDATES:
        try:
            text, before = content.decode(name), len(content[begin:place].decode(name))
            line = re.split(r"[\r\n]", text[len(content[:begin].decode(name)) :], maxsplit=1)[0]
        except UnicodeDecodeError:
            continue
        around = line[max(0, before - SHOWN // 2) : before + SHOWN // 2].strip()
        if around not in seen and around.isprintable():
            seen.add(around)
            yield name, around


def _place(content: bytes, place: int) -> str:
    """Where a byte is, for people and for programs that count from 0."""
    lines = content[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return f"at offset {place} (line {len(lines)}, byte {len(lines[-1]) + 1} of it)"
