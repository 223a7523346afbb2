from __future__ import annotations

import json
import os
import pickle
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lstta_core import adapter_files
from lstta_core.adapter_files import (
    SCHEMA,
    AdapterFileError,
    check_digests,
    load_tensors,
    read_adapter,
    save_adapter,
    trained_tensors,
)

DIGESTS = {"visual": "a" * 64, "audio": "b" * 64}
NAMES = {"visual": "vit", "audio": "ast"}
RECORD = {
    "method": {"name": "lstta", "options": {"width": 7}},
    "encoders": {m: {"name": NAMES[m], "digest": DIGESTS[m]} for m in DIGESTS},
    "vocabulary": ["yes", "no", "Flöte 笛"],
}


class Model(nn.Module):
    """A frozen encoder, of which one weight trains, and a head with a buffer."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder = nn.Linear(3, 5).requires_grad_(False)
        self.encoder.bias.requires_grad_(True)
        self.head = nn.Linear(5, 2)
        self.register_buffer("count", torch.tensor([seed, 7]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "best"
    save_adapter(path, trained_tensors(Model(), "encoder."), RECORD)
    return path


def load(folder: Path, model: nn.Module | None = None) -> nn.Module:
    """The way that a user of the folder goes."""
    model = Model(1) if model is None else model
    file = read_adapter(folder)
    check_digests(file, DIGESTS, NAMES)
    load_tensors(model, file, "encoder.")
    return model


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


# There and back


def test_save_and_load_give_the_same_model(folder: Path) -> None:
    saved, loaded = Model(), load(folder)
    assert isinstance(loaded, Model)
    loaded.encoder.weight.data.copy_(saved.encoder.weight)
    assert same(saved.state_dict(), loaded.state_dict())
    assert read_adapter(folder).record == {**RECORD, "schema": SCHEMA}


def test_only_what_trains_and_what_goes_with_it_is_kept(folder: Path) -> None:
    assert set(load_file(folder / "adapter.safetensors")) == {"encoder.bias", "head.weight", "head.bias", "count"}
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "adapter.json", "adapter.safetensors"]
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def test_trained_tensors_are_copies() -> None:
    model = Model()
    tensors = trained_tensors(model, "encoder.")
    with torch.no_grad():
        model.head.weight.zero_()
    assert tensors["head.weight"].any()


def test_another_precision_is_cast(folder: Path) -> None:
    tensors = {
        name: tensor.bfloat16() if tensor.is_floating_point() else tensor
        for name, tensor in trained_tensors(Model(), "encoder.").items()
    }
    save_adapter(folder, tensors, RECORD)
    loaded = load(folder)
    assert isinstance(loaded, Model)
    assert loaded.head.weight.dtype == torch.float32
    assert torch.equal(loaded.head.weight, Model().head.weight.bfloat16().float())


def test_others_may_read_the_folder(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert all(path.stat().st_mode & stat.S_IROTH for path in folder.iterdir())


def test_folders_above_are_made(tmp_path: Path) -> None:
    save_adapter(tmp_path / "runs" / "one" / "best", {"a": torch.ones(2)}, RECORD)
    assert read_adapter(tmp_path / "runs" / "one" / "best").tensors["a"].tolist() == [1, 1]


def test_nothing_trained_is_a_folder_too(tmp_path: Path) -> None:
    save_adapter(tmp_path / "none", {}, RECORD)
    assert read_adapter(tmp_path / "none").tensors == {}


# Wrong folders


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((folder / "adapter.json").read_text(encoding="utf-8"))
    change(record)
    (folder / "adapter.json").write_text(json.dumps(record))


def swap(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / "adapter.safetensors")
    change(tensors)
    save_file(tensors, folder / "adapter.safetensors")


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (lambda f: f.rename(f.parent / "moved"), r"best/adapter.json: no such file; an adapter folder holds"),
    "no record": (lambda f: (f / "adapter.json").unlink(), r"best/adapter.json: no such file; an adapter folder holds"),
    "no tensors": (lambda f: (f / "adapter.safetensors").unlink(), r"best/adapter.safetensors: no such file"),
    "not JSON": (
        lambda f: (f / "adapter.json").write_text('{"schema": 1,'),
        r"best/adapter.json: not JSON \(Expecting property name",
    ),
    "not UTF-8": (
        lambda f: (f / "adapter.json").write_bytes(b'{"schema": "\xff"}'),
        r"best/adapter.json: not JSON \('utf-8' codec can't decode",
    ),
    "nested too deep": (
        lambda f: (f / "adapter.json").write_text("[" * 10**6),
        r"best/adapter.json: not JSON \(.*recursion",
    ),
    "not a record": (lambda f: (f / "adapter.json").write_text("[1]"), r"adapter.json: no integer 'schema'"),
    "no schema": (lambda f: edit(f, lambda r: r.pop("schema")), r"adapter.json: no integer 'schema'"),
    "schema of no kind": (lambda f: edit(f, lambda r: r.update(schema=True)), r"adapter.json: no integer 'schema'"),
    "older schema": (
        lambda f: edit(f, lambda r: r.update(schema=1)),
        r"adapter.json: schema 1 is older than 2, .* load it with lstta-core 0.1, which wrote it, or train anew",
    ),
    "newer schema": (
        lambda f: edit(f, lambda r: r.update(schema=3)),
        r"adapter.json: schema 3 is newer than 2, the newest that this lstta-core knows: update lstta-core",
    ),
    "no encoders": (lambda f: edit(f, lambda r: r.pop("encoders")), r"'encoders' must map modalities to encoders"),
    "encoder without digest": (
        lambda f: edit(f, lambda r: r["encoders"]["audio"].pop("digest")),
        r"encoders.audio must have a 'name' and a 'digest', got {'name': 'ast'}",
    ),
    "another modality": (
        lambda f: edit(f, lambda r: r["encoders"].pop("audio")),
        r"trained with encoders for \['visual'\], the model has \['audio', 'visual'\]",
    ),
    "another encoder": (
        lambda f: edit(f, lambda r: r["encoders"].update(audio={"name": "clap", "digest": "c" * 64})),
        r"the audio encoder was 'clap' with digest c{12}…, the model's is 'ast' with digest b{12}…: use the encoder",
    ),
    "empty tensors file": (lambda f: (f / "adapter.safetensors").write_bytes(b""), r"not a whole safetensors file"),
    "longer tensors file": (
        lambda f: (f / "adapter.safetensors").write_bytes((f / "adapter.safetensors").read_bytes() + b"x"),
        r"best/adapter.safetensors: not a whole safetensors file",
    ),
    "missing tensor": (
        lambda f: swap(f, lambda t: t.pop("head.bias")),
        r"the tensors are not those of this model; missing: head.bias; not expected: none",
    ),
    "extra tensor": (
        lambda f: swap(f, lambda t: t.update({f"x{i}": torch.ones(1) for i in range(5)})),
        r"missing: none; not expected: x0, x1, x2 and 2 more. Build the model with the method and options",
    ),
    "another shape": (
        lambda f: swap(f, lambda t: t.update({"head.weight": torch.ones(5, 2)})),
        r"head.weight has shape \(5, 2\), the model wants \(2, 5\)",
    ),
    "another kind of number": (
        lambda f: swap(f, lambda t: t.update({"head.bias": torch.ones(2, dtype=torch.int64)})),
        r"head.bias is torch.int64, the model wants torch.float32",
    ),
}


@pytest.mark.parametrize("way", WRONG)
def test_wrong_folder_is_refused_and_nothing_is_loaded(folder: Path, way: str) -> None:
    spoil, message = WRONG[way]
    spoil(folder)
    model = Model(1)
    with pytest.raises((AdapterFileError, FileNotFoundError), match=message):
        load(folder, model)
    assert same(model.state_dict(), Model(1).state_dict())


def test_file_cut_at_any_byte_is_refused(folder: Path) -> None:
    path = folder / "adapter.safetensors"
    whole = path.read_bytes()
    model = Model(1)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(AdapterFileError, match="not a whole safetensors file"):
            load(folder, model)
    assert same(model.state_dict(), Model(1).state_dict())
    path.write_bytes(whole)
    load(folder, model)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["adapter.safetensors", "adapter.json"])
def test_pickle_is_never_executed(folder: Path, tmp_path: Path, name: str) -> None:
    executed = tmp_path / "executed"
    for write in (lambda bomb, file: pickle.dump(bomb, file), lambda bomb, file: torch.save(bomb, file)):
        with (folder / name).open("wb") as file:
            write(Bomb(executed), file)
        with pytest.raises(AdapterFileError, match="not JSON" if name.endswith("json") else "not a whole safetensors"):
            load(folder)
        assert not executed.exists()
    pickle.loads(pickle.dumps(Bomb(executed))).close()
    assert executed.exists(), "the bomb is a dud"


# Interrupted writing


def test_failed_save_leaves_the_old_folder_and_no_traces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: dict[str, Tensor], path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(adapter_files, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        save_adapter(folder, {"a": torch.ones(2)}, RECORD)
    load(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def test_record_that_is_no_json_leaves_the_old_folder(folder: Path) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_adapter(folder, {"a": torch.ones(2)}, {"task": object()})
    load(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def killed_at(step: int, folder: Path, tensors: dict[str, Tensor]) -> bool:
    """Save in a child process that is killed right before its step-th access to the file system; false if it ends."""
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, arguments: object) -> None:
            nonlocal seen
            if event == "open" or event.startswith(("os.", "shutil.", "tempfile.")):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            save_adapter(folder, tensors, RECORD)
        finally:
            os._exit(0)  # whatever happens, the child must not go on with the tests
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_save_that_is_killed_at_any_step_leaves_a_whole_folder(folder: Path) -> None:
    old = {name: tensor.clone() for name, tensor in read_adapter(folder).tensors.items()}
    new = {name: tensor + 1 for name, tensor in old.items()}
    outcomes = []
    step = 1
    while killed_at(step, folder, new):
        tensors = dict(read_adapter(folder).tensors)
        assert same(tensors, old) or same(tensors, new), f"killed at step {step}"
        outcomes.append(same(tensors, new))
        assert step < 500
        # A later save works whatever was left behind, and cleans the place where old folders are put.
        save_adapter(folder, old, RECORD)
        assert same(dict(read_adapter(folder).tensors), old)
        assert not (folder.parent / ".best.old").exists()
        step += 1
    assert same(dict(read_adapter(folder).tensors), new)
    assert outcomes == sorted(outcomes), "once the new folder is there it stays"
    assert True in outcomes
    assert False in outcomes


def test_first_save_that_is_killed_leaves_nothing_or_everything(tmp_path: Path) -> None:
    step, tensors = 1, {"a": torch.ones(3)}
    while killed_at(step, tmp_path / str(step) / "best", tensors):
        if (tmp_path / str(step) / "best").exists():
            assert same(dict(read_adapter(tmp_path / str(step) / "best").tensors), tensors)
        step += 1
    assert step > 5
