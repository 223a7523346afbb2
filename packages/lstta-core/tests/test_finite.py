"""Numbers that are no numbers reach no file, and no JSON has NaN."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lstta_core.adapter_files import save_adapter
from lstta_core.finite import NotFiniteError, bad_numbers, few, not_finite
from lstta_core.whole_files import json_text, write_json

BAD = pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])


def test_tensors_are_named() -> None:
    tensors = {
        "a": torch.tensor([1.0, float("nan")]),
        "b": torch.tensor([1.0]),
        "c": torch.tensor([3]),
        "d": torch.tensor(float("-inf"), dtype=torch.bfloat16),
    }
    assert not_finite(tensors) == ["a", "d"]


def test_few_of_many() -> None:
    assert few([]) == "none"
    assert few(["a", "b"]) == "a, b"
    assert few(list("abcde")) == "a, b, c and 2 more"


@BAD
class TestNothingIsWritten:
    def test_of_an_adapter(self, tmp_path: Path, bad: float) -> None:
        save_adapter(tmp_path / "best", {"x": torch.ones(2)}, {"score": 1.0})
        before = {path.name: path.read_bytes() for path in (tmp_path / "best").iterdir()}
        with pytest.raises(NotFiniteError, match=r"adapter.safetensors: not written, since y would hold numbers"):
            save_adapter(tmp_path / "best", {"x": torch.ones(2), "y": torch.tensor([bad])}, {})
        with pytest.raises(NotFiniteError, match=rf"adapter.json: selected.mae is {bad}, which JSON has no number for"):
            save_adapter(tmp_path / "best", {"x": torch.ones(2)}, {"selected": {"mae": bad}})
        assert {path.name: path.read_bytes() for path in (tmp_path / "best").iterdir()} == before
        assert [path.name for path in tmp_path.iterdir()] == ["best"]

    def test_of_json(self, tmp_path: Path, bad: float) -> None:
        path = tmp_path / "found.json"
        write_json(path, {"score": None})
        with pytest.raises(NotFiniteError, match=rf"found.json: rows.1.score is {bad}, which JSON has no number for"):
            write_json(path, {"rows": [{"score": 0.5}, {"score": bad}]})
        assert path.read_text() == '{\n "score": null\n}\n'
        assert list(bad_numbers(bad)) == [f"the value is {bad}"]


def test_json_is_one_text_or_one_line() -> None:
    content = {"é": [1, 0.5, None, True, "ü"]}
    assert json_text(content, "x", indent=None) == '{"é": [1, 0.5, null, true, "ü"]}\n'
    assert json.loads(json_text(content, "x")) == content
    with pytest.raises(TypeError):
        json_text({"a": {1, 2}}, "x")
