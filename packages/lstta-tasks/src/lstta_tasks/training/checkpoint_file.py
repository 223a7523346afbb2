"""Reading a checkpoint that may be a stranger's: nothing is run, and nothing allocated that the file does not hold.

``torch.load`` with ``weights_only`` runs no code, but believes a file's numbers: how large storages are, how tensors
lie in them, how far they unpack. So the pickle in the file is first read without it, into sizes alone.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import Runner
from torch import Tensor

from lstta_core.checked import RecordError, check, open_record, parse_json
from lstta_tasks.training.checkpoints import Checkpoint

MOST_PICKLE = 16 << 20
"""In bytes: of names and sizes alone."""
_STORAGES = {
    **{"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2},
    **{"LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1},
}
"""Bytes of a number, by the storages' names."""
_OPCODES = frozenset(
    (
        *("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BINPERSID", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
        *("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("SETITEM", "SETITEMS", "APPEND", "APPENDS", "BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"),
        *("BINFLOAT", "NONE", "NEWTRUE", "NEWFALSE"),
    )
)
"""What ``torch.save`` writes for tensors, numbers, texts, dicts, lists and tuples."""


@open_record
@dataclass(frozen=True)
class CheckpointMeta:
    """What a checkpoint says beside its tensors; ``record`` and ``settings`` are JSON."""

    epoch: int
    iter: int
    record: str
    seed: int | None = None
    best: float | None = None
    best_loss: float | None = None
    settings: str | None = None
    done: int = 0
    steps: int = 0
    validation_due: bool = False


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one: ``meta``, ``state_dict``, ``optimizer``, ``param_schedulers``, ``message_hub`` and ``gradients``.

    Raises:
        ValueError: it is damaged, or holds what none of ours does; the message names file and field.
    """
    try:
        _look(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        _check(content, path)
    except RecordError:
        raise
    except Exception as error:  # a damaged file fails in any way
        raise ValueError(f"{path}: not a whole checkpoint of ours ({error}); train into another --work-dir") from error
    assert isinstance(content, dict)
    return Checkpoint(path, content)


def check_states(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Refuse optimizer and schedulers that are not those of this run: torch copies whatever a checkpoint has.

    Raises:
        ValueError: they are not; the message names the field.
    """
    place = f"{runner._load_from}: "
    schedulers = [scheduler.state_dict() for scheduler in runner.param_schedulers]
    _alike(checkpoint["param_schedulers"], schedulers, f"{place}param_schedulers")
    optimizer, own = checkpoint["optimizer"], runner.optim_wrapper.state_dict()
    groups = [{k: v for k, v in group.items() if k != "initial_lr"} for group in optimizer["param_groups"]]
    _alike(
        groups,
        [{k: v for k, v in g.items() if k != "initial_lr"} for g in own["param_groups"]],
        f"{place}optimizer.param_groups",
    )
    parameters = [p for group in runner.optim_wrapper.param_groups for p in group["params"]]
    first = _after_a_step(runner.optim_wrapper.optimizer)
    for number, state in optimizer["state"].items():
        if type(number) is not int or not 0 <= number < len(parameters) or not isinstance(state, dict):
            raise ValueError(f"{place}optimizer.state.{number!r:.40}: there are {len(parameters)} parameters")
        if state and state.keys() != first.keys():
            raise ValueError(f"{place}optimizer.state.{number}: {list(first)} are wanted, got {list(state)}")
        for name, value in state.items():
            of_one = isinstance(first[name], Tensor) and first[name].ndim > 0
            wanted = tuple(parameters[number].shape) if of_one else ()
            shape = tuple(value.shape) if isinstance(value, Tensor) else ()
            if shape != wanted or not isinstance(value, Tensor | int | float | None):
                raise ValueError(f"{place}optimizer.state.{number}.{name}: {shape}, {wanted} is wanted")
    checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}}


def _after_a_step(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What such an optimizer keeps of a parameter."""
    parameter = torch.nn.Parameter(torch.zeros(2, 3))
    parameter.grad = torch.zeros(2, 3)
    other = type(optimizer)([{**optimizer.param_groups[0], "params": [parameter]}])  # type: ignore[call-arg]
    other.step()
    return dict(other.state[parameter])


def _alike(there: Any, here: Any, key: str) -> None:
    """Refuse a value that has other keys than here or is of another type; all but numbers must be equal."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for name in sorted(set(here) ^ set(there), key=str):
            raise ValueError(f"{key}.{name}: in one of the two alone")
        for name, value in here.items():
            _alike(there[name], value, f"{key}.{name}")
    elif isinstance(here, list | tuple) and isinstance(there, list | tuple) and len(there) == len(here):
        for place, (theirs, ours) in enumerate(zip(there, here, strict=True)):
            _alike(theirs, ours, f"{key}.{place}")
    elif not ((type(there) is type(here) and there == here) or (_is_number(there) and _is_number(here))):
        raise ValueError(f"{key}: {here!r:.60} here, {there!r:.60} there")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e30


def _look(path: Path) -> None:
    """Refuse a file whose pickle names or claims what is not there."""
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        stored = all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        if not stored or len(sizes) < len(archive.infolist()) or sum(sizes.values()) > path.stat().st_size:
            raise ValueError("its parts are compressed, doubled, or larger than the file")
        names = [name for name in sizes if name.rpartition("/")[2] in ("data.pkl", "constants.pkl")]
        if len(names) != 1 or not names[0].endswith("data.pkl") or sizes[names[0]] > MOST_PICKLE:
            raise ValueError(f"one data.pkl of {MOST_PICKLE:,} bytes at most is wanted, it has {names}")
        program = archive.read(names[0])
    for opcode, argument, _ in pickletools.genops(program):
        too_far = opcode.name == "LONG_BINPUT" and int(argument or 0) > len(program)
        if opcode.name not in _OPCODES or too_far:
            raise ValueError(f"its pickle has {opcode.name} {argument!r:.40}: refused, and nothing was run")
    _Sizes(program, {name.removeprefix(names[0].removesuffix("data.pkl")): size for name, size in sizes.items()}).load()


class _Sizes(pickle.Unpickler):
    """Reads a checkpoint's pickle with sizes in the place of tensors."""

    def __init__(self, program: bytes, sizes: Mapping[str, int]) -> None:
        super().__init__(io.BytesIO(program))
        self.sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}; refused, and nothing was run")

    def persistent_load(self, pid: Any) -> int:
        kind, itemsize, key, _, count = pid
        if kind != "storage" or type(count) is not int or count < 0:
            raise pickle.UnpicklingError(f"{pid!r:.80} is no storage")
        if count * itemsize > self.sizes[f"data/{key}"]:
            raise pickle.UnpicklingError(f"data/{key}: {count:,} numbers in {self.sizes[f'data/{key}']:,} bytes")
        return count


def _tensor(storage: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> None:
    """Refuse a tensor that does not lie in its storage, or that has a number of it twice."""
    count, last = 1, offset
    for length, stride in zip(shape, strides, strict=True):
        count, last = count * length, last + (length - 1) * stride
        if length < 0 or stride < 0:
            raise pickle.UnpicklingError(f"a tensor of shape {shape}, strides {strides}")
    if offset < 0 or count > storage or (count and last >= storage):
        raise pickle.UnpicklingError(f"a tensor of shape {shape} in {storage:,} numbers")


def _check(content: Any, path: Path) -> None:
    if not isinstance(content, dict):
        raise RecordError(f"{path}: not a checkpoint of ours, it holds a {type(content).__name__}")
    kinds = {"meta": dict, "state_dict": dict, "optimizer": dict, "param_schedulers": list, "message_hub": dict}
    for key, kind in kinds.items():
        if not isinstance(content[key], kind):
            raise RecordError(f"{path}: not a whole checkpoint of ours ({key}: a {kind.__name__} is wanted)")
    meta, place = content["meta"], f"{path}: meta"
    check(CheckpointMeta, meta, path, "meta")
    for key in ("epoch", "iter", "done", "steps"):
        if meta.get(key, 0) < 0:
            raise RecordError(f"{place}.{key}: 0 or more is wanted, got {meta[key]}")
    for key in ("record", "settings"):
        said = parse_json((meta.get(key) or "null").encode(), f"{place}.{key}")
        if not isinstance(said, dict) and (key == "record" or said is not None):
            raise RecordError(f"{place}.{key}: an object in JSON is wanted")
    gradients = content.get("gradients", [])
    if not isinstance(gradients, list) or not all(isinstance(one, dict) for one in gradients):
        raise RecordError(f"{path}: gradients: a list of objects is wanted")
    for key, tensors in [("state_dict", content["state_dict"]), *(("gradients", one) for one in gradients)]:
        for name, value in tensors.items():
            if not isinstance(name, str) or not isinstance(value, Tensor):
                raise RecordError(f"{path}: {key}: tensors by name are wanted, got {name!r:.40}: {value!r:.40}")
    optimizer = content["optimizer"]
    if not isinstance(optimizer.get("state"), dict) or not isinstance(optimizer.get("param_groups"), list):
        raise RecordError(f"{path}: optimizer: state and param_groups are wanted")
    if not all(isinstance(one, dict) for one in [*optimizer["param_groups"], *content["param_schedulers"]]):
        raise RecordError(f"{path}: optimizer.param_groups, param_schedulers: objects are wanted")
