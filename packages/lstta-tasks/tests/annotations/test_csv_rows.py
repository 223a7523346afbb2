"""CSV files as spreadsheets and scripts write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.annotations.csv_rows import UTF_8, read_csv

BOTH = (UTF_8, "cp1252")


def rows(path: Path, content: bytes, *encodings: str) -> list[tuple[int, dict[str, str]]]:
    path.write_bytes(content)
    return list(read_csv(path, needed=("a", "b"), encodings=encodings or BOTH))


def test_rows_with_the_number_of_their_last_line(tmp_path: Path) -> None:
    content = 'b,a,more\r\n1,"two\r\nlines, ""quoted""",x\r\n3,\u2028 \x85,\r\n'.encode()
    assert rows(tmp_path / "a.csv", content) == [
        (3, {"a": 'two\r\nlines, "quoted"', "b": "1", "more": "x"}),
        (4, {"a": "\u2028 \x85", "b": "3", "more": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [("a,b\né’🙂,1\n".encode(), "é’🙂"), ("\ufeffa,b\né,1\n".encode(), "é"), (b"a,b\n\xe9\x92,1\n", "é’")],
    ids=["UTF-8", "with a byte order mark", "cp1252"],
)
def test_encodings(tmp_path: Path, content: bytes, text: str) -> None:
    assert rows(tmp_path / "a.csv", content)[0][1]["a"] == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the header must name a and b, got nothing"),
        (b"a,c\n1,2\n", "the header must name a and b, got a, c"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b\n1,2\n1\n", "line 3: it has another number of cells than the header"),
        (b"a,b\n1,2,3\n", "line 2: it has another number of cells than the header"),
        (b'a,b\n1,"2\n', "line 2: not CSV"),
        (b"a,b\n\x81,2\n", "not CSV in UTF-8 nor cp1252"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=rf"a.csv.*{said}"):
        rows(tmp_path / "a.csv", content)


def test_only_the_encodings_that_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a.csv: not CSV in UTF-8 \("):
        rows(tmp_path / "a.csv", b"a,b\n\xe9,1\n", UTF_8)
