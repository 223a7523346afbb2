"""CSV files as spreadsheets and scripts write them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from lstta_tasks.annotations.csv_rows import csv_rows, read_csv
from lstta_tasks.annotations.reading import Reading

FOUND = [(2, {"a": "1", "b": "2"})]


def rows(path: Path, content: bytes | str, encoding: str | None = None) -> list[tuple[int, dict[str, str]]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_csv(path, needed=("a", "b"), optional=("c",), encoding=encoding))


def test_rows_with_the_number_of_their_last_line(tmp_path: Path) -> None:
    content = 'b,a,more\r\n1,"two\r\nlines, ""quoted""",x\r\n3,\u2028 \x85,\r\n'.encode()
    assert rows(tmp_path / "a.csv", content) == [
        (3, {"a": 'two\r\nlines, "quoted"', "b": "1", "more": "x"}),
        (4, {"a": "\u2028 \x85", "b": "3", "more": ""}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "a;b\n1;2\n",
        "a\tb\n1\t2\n",
        "A,B\n1,2\n",
        " a , b \n1,2\n",
        "a,b\n1,2\n,\n\n  ,  \n",
        "a,b\n1,2\na,b\n",
        "a,b,,\n1,2,,\n",
        "a,b\n1,2\n A,B \n",
        "a,b,x,x\n1,2,3,4\n",
        "a,b\r1,2\r",
    ],
    ids=[
        "semicolons",
        "tabs",
        "capitals",
        "blanks around names",
        "empty rows",
        "the header again",
        "the header again in capitals",
        "columns without a name",
        "a column twice that nothing reads",
        "line ends of old",
    ],
)
def test_what_spreadsheets_do(tmp_path: Path, content: str) -> None:
    assert rows(tmp_path / "a.csv", content) == FOUND


def test_what_stands_before_the_header(tmp_path: Path) -> None:
    assert [row for _, row in rows(tmp_path / "a.csv", "\nsep=;\n\na;b\n1;2\n")] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the header must name a and b .it may name c., got nothing"),
        ("a,c\n1,2\n", "the header must name a and b .it may name c., got a, c"),
        ("a,b\n", "a header and no rows"),
        ("a,b\n,\n", "a header and no rows"),
        ("a,b\n1,2\n1\n", "line 3: it has another number of cells than the header, 1 and 2"),
        ("a,b\n1,2,3\n", "line 2: it has another number of cells than the header, 3 and 2"),
        ('a,b\n1,"2\n', "line 2: not CSV"),
        ("a,b,a\n1,2,3\n", "the header names the column 'a' 2 times, as 'a' and 'a': take one out"),
        ("a,b,A\n1,2,3\n", "the header names the column 'a' 2 times, as 'a' and 'A': take one out"),
        ("a,b,c,C \n1,2,3,4\n", "the header names the column 'c' 2 times, as 'c' and 'C ': take one out"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"a.csv.*{said}"):
        rows(tmp_path / "a.csv", content)


def test_an_encoding_that_is_named(tmp_path: Path) -> None:
    path, content = tmp_path / "a.csv", b"a,b\n\xe9\x92,1\n"
    with pytest.raises(ValueError, match=r"a.csv: byte 0xE9 at offset 4 \(line 2, byte 1 of it\) is not UTF-8.*cp1252"):
        rows(path, content)
    assert rows(path, content, "cp1252") == [(2, {"a": "é’", "b": "1"})]


def number(cells: Mapping[str, str], place: str) -> int:
    if not cells["b"].isdigit():
        raise ValueError(f"{place}: b is {cells['b']!r}, no number")
    return int(cells["b"])


BAD = "a,b\n1,2\n1,x\n1\n1,4\n1,y\n"


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(BAD)
    with pytest.raises(ValueError, match=r"a.csv: 3 of 5 rows are bad; .*task.skip_bad_rows=True") as error:
        csv_rows(tmp_path / "a.csv", number, reading=Reading(), needed=("a", "b"))
    assert [line.strip() for line in str(error.value).split("\n")[1:]] == [
        "line 3: b is 'x', no number",
        "line 4: it has another number of cells than the header, 1 and 2; quote cells that hold commas",
        "line 6: b is 'y', no number",
    ]


def test_bad_rows_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, reading = tmp_path / "a.csv", Reading(skip_bad_rows=True)
    path.write_text(BAD)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert csv_rows(path, number, reading=reading, needed=("a", "b")) == [2, 4]
    assert reading.left_out == {path: 3}
    (note,) = reading.notes
    assert note.startswith(f"{path}: 3 of 5 rows are bad and left out\n  line 3: b is 'x'")
    assert [record.getMessage() for record in caplog.records] == [note]


def test_a_file_of_bad_rows_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,x\n")
    with pytest.raises(ValueError, match="all of its 1 rows are bad, none is left"):
        csv_rows(tmp_path / "a.csv", number, reading=Reading(skip_bad_rows=True), needed=("a", "b"))


def test_of_very_many_the_last_ones_are_named_by_their_places(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,x\n" * 60 + "1,2\n")
    with pytest.raises(ValueError, match=r"60 of 61 rows are bad(.|\n)*line 51: b is(.|\n)*and line 52, .*, line 61"):
        csv_rows(tmp_path / "a.csv", number, reading=Reading(), needed=("a", "b"))


def test_the_switch_is_no_word() -> None:
    with pytest.raises(ValueError, match=r"task.skip_bad_rows must be True or False, got 'yes'"):
        Reading(skip_bad_rows="yes")  # type: ignore[arg-type]
