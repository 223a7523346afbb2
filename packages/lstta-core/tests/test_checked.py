"""Values of JSON against annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from lstta_core import checked
from lstta_core.checked import RecordError, check, open_record, parse_json, read_json


@dataclass(frozen=True)
class Inner:
    x: int
    y: float = 0.0


@open_record
@dataclass(frozen=True)
class Open:
    name: str


@dataclass(frozen=True)
class Outer:
    inner: Inner
    maybe: Inner | None = None
    many: Sequence[Inner] = ()
    named: Mapping[str, Open] | None = None
    kind: Literal["a", "b"] = "a"
    pair: tuple[int, int] | None = None
    extra: Any = None


GOOD = {"inner": {"x": 1}}


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        {"inner": {"x": 1, "y": 2}, "maybe": None, "many": [{"x": 2, "y": 0.5}], "extra": {"any": [None]}},
        {**GOOD, "named": {"n": {"name": "a", "whatever": 3}}, "kind": "b", "pair": [1, 2], "maybe": {"x": 3}},
    ],
)
def test_what_fits(value: Any) -> None:
    check(Outer, value, "here")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "here: all of it: object is wanted, got 3"),
        ({}, "here: inner: it is missing"),
        ({"inner": {}}, "here: inner.x: it is missing"),
        ({"inner": {"x": True}}, "here: inner.x: int is wanted, got True"),
        ({"inner": {"x": 2**63}}, "here: inner.x: int is wanted, got 9223372036854775808"),
        ({"inner": {"x": 1, "y": float("inf")}}, "here: inner.y: float is wanted, got inf"),
        ({"inner": {"x": 1, "z": 1}}, "here: inner.z: nothing reads it; there are x, y"),
        ({**GOOD, "maybe": []}, r"here: maybe: object or null is wanted, got \[\]"),
        ({**GOOD, "maybe": 3}, "here: maybe: object or null is wanted, got 3"),
        ({**GOOD, "maybe": {"x": "1"}}, "here: maybe.x: int is wanted, got '1'"),
        ({**GOOD, "many": [{"x": 1}, {}]}, "here: many.1.x: it is missing"),
        ({**GOOD, "many": {"x": 1}}, "here: many: list of object is wanted, got {'x': 1}"),
        ({**GOOD, "named": {"n": {}}}, "here: named.n.name: it is missing"),
        ({**GOOD, "kind": "c"}, "here: kind: one of a, b is wanted, got 'c'"),
        ({**GOOD, "pair": [1]}, r"here: pair: list of int, int or null is wanted, got \[1\]"),
        ({**GOOD, "kind": ["a"]}, "here: kind: one of a, b is wanted"),
    ],
)
def test_what_does_not(value: Any, message: str) -> None:
    with pytest.raises(RecordError, match=f"^{message}"):
        check(Outer, value, "here")


def test_messages_are_short_however_long_or_deep_a_value_is() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in ("x" * 10**6, [0] * 10**6, deep):
        with pytest.raises(RecordError) as refused:
            check(int, value, "here", "key")
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "here: not JSON"),
        (b"\xff", "here: not JSON .*utf-8"),
        (b"[" * 10**6, "here: not JSON .*recursion"),
        (b'{"a": NaN}', "here: not JSON .NaN is no number"),
        (b'{"a": -Infinity}', "here: not JSON .-Infinity is no number"),
        (rb'["\uD800"]', "here: not JSON .*surrogates"),
        (b"1" * 10_000, "here: not JSON .*digits"),
    ],
)
def test_what_is_no_json(data: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        parse_json(data, "here")
    assert parse_json(rb'"\ud83d\ude42"', "here") == "\U0001f642"


def test_a_long_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("[1, 2]")
    assert read_json(tmp_path / "a.json") == [1, 2]
    monkeypatch.setattr(checked, "MOST_BYTES", 5)
    with pytest.raises(RecordError, match=r"a.json: 6 bytes; a record has 5 at most"):
        read_json(tmp_path / "a.json")
