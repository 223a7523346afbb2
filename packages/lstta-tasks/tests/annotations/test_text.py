"""The bytes of a file as text: UTF-8, UTF-16 with a mark, else what is named, else an error that says where."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.text import read_text

TEXT = "Grüße, שלום 🙂\r\nzwei\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("named", [None, "cp1252"])
def test_what_tells_by_itself_what_it_is(path: Path, encoding: str, named: str | None) -> None:
    path.write_bytes(TEXT.encode(encoding))
    assert read_text(path, named) == TEXT


def test_utf_16_of_either_end(path: Path) -> None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        path.write_bytes(mark + TEXT.encode(encoding))
        assert read_text(path) == TEXT


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Café ’tis"),
        ("cp1251", "шутка"),
        ("shift_jis", "日本語"),
        ("utf-16-le", "plain"),
        ("utf-16-be", "plain"),
        ("iso2022_jp", "日本語"),
        ("utf-7", "é"),
    ],
)
def test_what_is_named(path: Path, encoding: str, text: str) -> None:
    path.write_bytes(text.encode(encoding))
    assert read_text(path, encoding) == text


def test_neither_and_nothing_named(path: Path) -> None:
    path.write_bytes("a,b\r\nCafé,’tis\r\n".encode("cp1252"))
    with pytest.raises(ValueError, match="is not UTF-8") as error:
        read_text(path)
    assert str(error.value).startswith(
        f"{path}: byte 0xE9 at offset 8 (line 2, byte 4 of it) is not UTF-8. "
        "Candidates: cp1252 (then it reads 'Café,’tis'), cp1251 (then it reads 'Cafй,’tis')"
    )
    assert str(error.value).endswith("such as task.encoding=cp1252, or save the file as UTF-8")


def test_a_candidate_reads_the_whole_file(path: Path) -> None:
    path.write_bytes(b"\xe9 and \x81")  # which cp1252 does not have
    with pytest.raises(ValueError, match="is not UTF-8") as error:
        read_text(path, option="--encoding")
    assert "cp1252" not in str(error.value)
    assert "--encoding=" in str(error.value)


@pytest.mark.parametrize(("encoding", "order"), [("utf-16-le", "le"), ("utf-16-be", "be")])
def test_utf_16_without_a_mark_is_no_utf_8(path: Path, encoding: str, order: str) -> None:
    path.write_bytes("video,label\n".encode(encoding))
    with pytest.raises(ValueError, match=rf"byte 0x00 at offset \d .*UTF-16 without.*task.encoding=utf-16-{order}"):
        read_text(path)


@pytest.mark.parametrize(
    ("content", "named", "said"),
    [
        (b"\xe9\x81", "cp1252", r"byte 0x81 at offset 1 \(line 1, byte 2 of it\) is not cp1252"),
        (codecs.BOM_UTF16_LE + b"a\0b", None, r"byte 0x62 at offset 4 .* is not utf-16 \(truncated data\)"),
        (codecs.BOM_UTF8 + b"\xe9", None, "byte 0xE9 .* is not utf-8"),
        (b"\xe9\0", "cp1252", "line 1: a character 0 stands there"),
        (b"a", "klingon", r"task.encoding: no encoding is called 'klingon'; .* such as cp1252"),
        (b"a", "base64", "no encoding is called 'base64'"),
        (b"a", "", "no encoding is called ''"),
    ],
)
def test_what_cannot_be_read(path: Path, content: bytes, named: str | None, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_text(path, named)


def test_the_fallback_is_told_of(path: Path) -> None:
    path.write_bytes("é\n".encode() + b"\xe9\n\x92")
    reading = Reading(fallback="cp1252")
    assert reading.text(path) == reading.text(path) == "é\né\n’"
    assert reading.notes == [
        f"{path}: 2 lines are not UTF-8 and were read as cp1252; the first is byte 0xE9 at offset 3 "
        "(line 2, byte 1 of it)"
    ]


def test_a_wrong_name_is_an_error_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match="no encoding is called 'klingon'"):
        Reading(encoding="klingon")
