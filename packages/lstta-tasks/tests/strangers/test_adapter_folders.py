"""Adapter folders from strangers: whatever their record says, nothing is run and nothing large is allocated."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import untrained
from safetensors.torch import save_file

from lstta_core.adapter_files import AdapterFileError
from lstta_core.interfaces import Modality
from lstta_core.plugins import installed_plugins
from lstta_tasks import fitting
from lstta_tasks.adapter_record import check_record
from lstta_tasks.adapters import load, start_from
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.task import Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.retrieval import Retrieval

Change = Callable[[dict[str, Any]], object]
EVIL: dict[str, tuple[Change, str]] = {
    "compile options": (
        lambda r: r["model"].update(compile={"backend": "inductor", "options": {"cpp.cxx": ["/tmp/evil"]}}),
        r"adapter.json: model.compile: nothing reads it",
    ),
    "compile": (lambda r: r["model"].update(compile=True), r"adapter.json: model.compile: nothing reads it"),
    "type": (lambda r: r["task"].update(type="os:system"), r"adapter.json: task.type: not for a record"),
    "root": (lambda r: r["task"].update(root="/etc"), r"adapter.json: task.root: not for a record"),
    "how files are read": (
        lambda r: r["task"].update(skip_bad_rows=True),
        r"adapter.json: task.skip_bad_rows: not for",
    ),
    "answers": (lambda r: r["task"].update(answers="ab"), r"adapter.json: task.answers: .* is wanted, got 'ab'"),
    "type of a method": (lambda r: r["method"].update(type="os:system"), r"adapter.json: method.type: not for"),
    "budget": (lambda r: r["method"].update(budget=10**12), r"adapter.json: method.budget: not for a record"),
    "width": (lambda r: r["method"].update(width=10**6), r"adapter.safetensors: .* has shape"),
    "a width beyond all numbers": (
        lambda r: r["method"].update(width=10**9),
        r"adapter.json: method.width: 1,000,000,000 is more than adapter.safetensors has numbers for",
    ),
    "latents": (lambda r: r["method"].update(latents=10**12), r"adapter.safetensors: .* has shape"),
    "a width of no kind": (
        lambda r: r["method"].update(width=True),
        r"adapter.json: method.width: int is wanted, got T",
    ),
    "heads": (
        lambda r: r["method"].update(heads=0),
        r"adapter.json: it describes what cannot be made: method.heads: a whole number, 1 or more is wanted, got 0",
    ),
    "readout": (lambda r: r["model"]["readout"].update(width=1 << 20), r"adapter.safetensors: .* has shape"),
    "stages": (
        lambda r: r["model"].update(stages=10**15),
        r"adapter.json: it describes what cannot be made: model: stages=",
    ),
    "type of an encoder": (
        lambda r: r["encoders"]["visual"].update(type="os:system"),
        r"adapter.json: encoders.visual.type: not for a record",
    ),
    "another modality's encoder": (
        lambda r: r["encoders"]["visual"].update(name="tiny-audio"),
        r"adapter.json: encoders.visual: 'tiny-audio' is no visual encoder",
    ),
    "segments": (lambda r: r["preprocessing"].update(segments=10**9), r"adapter.json: .* at most are decoded"),
    "frames": (
        lambda r: r["preprocessing"].update(frame_size=[64, 64]),
        r"adapter.json: preprocessing.frame_size: the encoder reads \(48, 80\), got \(64, 64\)",
    ),
    "no number": (lambda r: r["selected"].update(overall=float("nan")), r"adapter.json: not JSON \(NaN is no number\)"),
    "half a character": (lambda r: r["task"].update(answers=["\ud800", "b"]), r"adapter.json: not JSON \(.*surrogates"),
    "unknown key": (lambda r: r.update(run="rm"), r"adapter.json: run: nothing reads it; there are schema, encoders"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = untrained.save_tiny(tmp_path / "best", AVQA(answers=["left", "right"]))
    edit(made, lambda record: record.update(selected={"overall": 0.5, "epoch": 1, "split": "val"}))
    return made


def edit(folder: Path, change: Change) -> None:
    record = json.loads((folder / "adapter.json").read_text())
    change(record)
    (folder / "adapter.json").write_text(json.dumps(record))


@pytest.mark.parametrize("evil", EVIL)
def test_what_no_record_may_say(folder: Path, evil: str) -> None:
    change, message = EVIL[evil]
    edit(folder, change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AdapterFileError, match=message) as refused:
        load(folder)
    assert "\n" not in str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_extra_is_the_callers(folder: Path) -> None:
    edit(folder, lambda record: record.update(extra={"type": "os:system", "anything": [1, None, {"at": "all"}]}))
    assert load(folder).task.name == "avqa"


def test_nothing_is_started_or_imported(folder: Path) -> None:
    load(folder)
    edit(folder, lambda record: record["encoders"]["visual"].update(name="antigravity:fly"))
    with pytest.raises(AdapterFileError, match="which is no plugin's"):
        load(folder)
    edit(folder, lambda record: record["task"].update(name="antigravity:fly"))
    with pytest.raises(LookupError, match=r"adapter.json: no task is named 'antigravity:fly'"):
        load(folder)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "task", [AVQA(answers=["a", "b"]), Classification(labels=["x", "y", "z"]), Retrieval(embedding=7, joint=True)]
)
def test_models_of_all_kinds_are_built_without_memory_first(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "_check_numbers", lambda file: pytest.fail("it was not built on the meta device"))
    best = untrained.save_tiny(tmp_path / "best", task)
    assert load(best).task.options() == task.options()


def test_what_cannot_be_built_without_memory_is_bounded_by_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(self: AnswerKind, towers: Any) -> Any:
        if torch.empty(0).is_meta:
            raise NotImplementedError
        return plain(self, towers)

    plain = AnswerKind.network
    monkeypatch.setattr(AnswerKind, "network", network)
    assert load(folder).task.name == "avqa"
    edit(folder, lambda record: record["method"].update(width=10**9))
    with pytest.raises(AdapterFileError, match=r"adapter.json: method.width: 1,000,000,000 is more than"):
        load(folder)


def test_tensors_of_another_model_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the gigabyte that they are said to have nothing is read, nor when another task starts from them."""
    header = json.dumps({"head.x": {"dtype": "F32", "shape": [1 << 28], "data_offsets": [0, 1 << 30]}}).encode()
    with (folder / "adapter.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + (1 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AdapterFileError, match=r"not expected: head.x"):
        load(folder)
    encoders = {m: installed_plugins().create("encoder", f"tiny-{m}") for m in Modality}
    task = AVQA(answers=["left", "right"])
    network = untrained._network(task, encoders, untrained.METHOD, {"stages": 4, "readout": {"width": 16}})
    with pytest.raises(AdapterFileError, match=r"not expected: none"):
        start_from(network, folder, {})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_a_long_header_of_tensors(folder: Path) -> None:
    save_file({f"head.{n:0100}": torch.zeros(1) for n in range(80_000)}, folder / "adapter.safetensors")
    with pytest.raises(AdapterFileError, match=r"adapter.safetensors: its header has .* bytes, 8,388,608 at most"):
        load(folder)


def test_records_of_version_0_1_are_known_but_for_what_came_later(folder: Path) -> None:
    record = json.loads((folder / "adapter.json").read_text())
    check_record({key: value for key, value in record.items() if key not in ("needs", "inputs")}, "here")
