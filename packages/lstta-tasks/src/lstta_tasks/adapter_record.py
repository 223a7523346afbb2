"""What an ``adapter.json`` of ours says, as plain dataclasses: all of it is checked before anything is made of it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lstta_core.adapter_record import Counts, Home
from lstta_core.checked import RecordError, check, open_record
from lstta_core.plugins import Kind, installed_plugins
from lstta_tasks.data.preprocessing import PreprocessingRecord
from lstta_tasks.signatures import check_options


@dataclass(frozen=True)
class Base:
    """What is known of an encoder's weights."""

    name: str = ""
    revision: str = ""
    licence: str = ""


@open_record
@dataclass(frozen=True)
class EncoderRecord:
    """An encoder: whose name it has, the digest of its weights, and its options beside."""

    name: str
    digest: str
    base: Base | None = None


@open_record
@dataclass(frozen=True)
class Part:
    """A method or a task by its name, and its options beside."""

    name: str


@dataclass(frozen=True)
class ReadoutRecord:
    """Options of :class:`~lstta_core.readout.Readout`."""

    width: int = 128
    heads: int = 4
    dropout: float = 0.0
    guided: bool = True


@dataclass(frozen=True)
class ModelRecord:
    """Options of :func:`~lstta_tasks.network.build_model`; how it is run, such as compiled, is not for a record."""

    modalities: list[str] | None = None
    stages: int | None = None
    adapted: int | None = None
    readout: ReadoutRecord | None = None
    frozen_dtype: Literal["float32", "bfloat16", "float16", "int8", "nf4"] | None = None
    checkpointing: bool = False


@dataclass(frozen=True)
class AdapterRecord:
    """All keys. ``extra`` is for whoever keeps something of their own beside; nothing reads it."""

    schema: int
    encoders: Mapping[Literal["visual", "audio", "language"], EncoderRecord]
    method: Part
    model: ModelRecord
    task: Part
    preprocessing: PreprocessingRecord
    parameters: Counts | None = None
    selected: Mapping[str, int | float | str | None] | None = None
    needs: Mapping[str, Home] | None = None
    inputs: Mapping[str, str] | None = None
    command: str | None = None
    extra: Any = None


def check_record(record: Mapping[str, Any], place: object) -> None:
    """Refuse a record that is not one of ours.

    Raises:
        RecordError: the message names file and key.
    """
    missing = [key for key in ("encoders", "method", "model", "task", "preprocessing") if key not in record]
    if missing:
        raise RecordError(f"{place}: {', '.join(missing)} missing: lstta-tasks did not write it")
    check(AdapterRecord, record, place)


def options_of(part: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """What a part of a record says beside its name and, of an encoder, what is known of its weights."""
    known = ("name", "digest", "base") if kind == "encoder" else ("name",)
    return {key: value for key, value in part.items() if key not in known}


def check_part(kind: Kind, name: str, part: Mapping[str, Any], place: object, key: str) -> None:
    """Refuse options of a part that its plugin does not take. Where a task's files are is not for a record.

    Raises:
        RecordError: there are such.
        UnknownNameError: no plugin registers the name.
    """
    factory = installed_plugins().find(kind, name).load()
    check_options(factory, options_of(part, kind), place, key, paths=kind != "task")


def differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Options of method and model, by place, in which two records differ beside their tensors; defaults count as said.

    How many stages there are by default is the encoders' matter, and so is not compared; which are adapted, the names
    of tensors say.

    Args:
        there: an ``adapter.json``, checked.
        here: another one, or what :func:`~lstta_tasks.experiment.record.record_of` makes of a config.

    Yields:
        The place, such as ``method.alpha``, and its value there and here.
    """
    for place, then, now in differences(_with_defaults(there), _with_defaults(here)):
        if place != "model.stages" or None not in (then, now):
            yield place, then, now


def differences(then: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted keys under which two records differ, each with both values."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in then | now:
            yield from differences(then.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif then != now:
        yield key, then, now


def _with_defaults(record: Mapping[str, Any]) -> Any:
    """Method, stages and readout of a record, as JSON has them."""
    method, model = record["method"], record["model"]
    parameters = inspect.signature(installed_plugins().find("method", method["name"]).load()).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    readout = asdict(ReadoutRecord()) | dict(model.get("readout") or {})
    whole = {"method": defaults | dict(method), "model": {"stages": model.get("stages"), "readout": readout}}
    return json.loads(json.dumps(whole, default=repr))
