"""JSON of annotations: UTF-8, whole, and no deeper than it can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.annotations.files import json_list, read_json
from lstta_tasks.annotations.reading import Reading


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "not JSON .it is nested too deeply"),
        (b'{"a":' * 100_000, "not JSON .it is nested too deeply"),
        (b'["caf\xe9"]', "not JSON: byte 0xE9 at offset 5 is not UTF-8, which JSON is written in"),
        ('["a"]'.encode("utf-16"), "not JSON: byte 0xFF at offset 0 is not UTF-8"),
        (b'[{"a": 1, "b": 2, "a": 3}]', "not JSON .the key 'a' stands there twice"),
        (b"[NaN]", "not JSON .NaN is no number"),
        (b"[-Infinity]", "not JSON .-Infinity is no number"),
        (b"[" + b"1" * 5000 + b"]", "not JSON"),
        (b"[", "not JSON"),
        (b"{}", "a list is wanted, got dict"),
        (b"[]", "a list is wanted, got an empty list"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a.json: {said}"):
        read_json(tmp_path / "a.json", list, "a list")


def test_a_byte_order_mark_is_utf_8_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes("\ufeff[1]".encode())
    assert read_json(tmp_path / "a.json", list, "a list") == [1]


def test_all_bad_rows_are_named_at_once_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"a": "x"}, 3, {"a": ""}, {"b": "x"}, {"a": "\\ud800"}]')

    def read(reading: Reading) -> list[str]:
        return json_list(path, lambda row, _: str(row["a"]), reading=reading, fields={"a": str}, what="a list")

    with pytest.raises(ValueError, match="4 of 5 rows are bad") as error:
        read(Reading())
    assert [line.strip().partition(": ")[0] for line in str(error.value).split("\n")[1:]] == [
        f"row {number}" for number in (1, 2, 3, 4)
    ]
    left = Reading(skip_bad_rows=True)
    assert read(left) == ["x"]
    assert left.left_out == {path: 4}
