"""Trained adapters on disk: a folder with ``adapter.safetensors`` and ``adapter.json``.

The folder holds what was trained and what is needed to use it again, and never the frozen weights. Loading is loud, and
a folder from a stranger runs nothing: every key that is read here is checked, and tensors are compared with the model
by the file's header before any is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from lstta_core.adapter_record import CoreRecord
from lstta_core.checked import RecordError, check, read_json
from lstta_core.finite import NotFiniteError, few, not_finite
from lstta_core.model_card import model_card
from lstta_core.stored_tensors import DamagedTensorsError, Kind, StoredTensors, kinds_of
from lstta_core.whole_files import existing, json_text, whole_folder

SCHEMA = 2
"""2 since the adapters standardise their tokens and bound what they add; what wrote 1 is lstta-core 0.1."""
TENSORS, RECORD, CARD = "adapter.safetensors", "adapter.json", "README.md"


class AdapterFileError(ValueError):
    """An adapter folder cannot be used; the message names the file, the key, both values and the way out."""


@dataclass(frozen=True)
class AdapterFile:
    """An adapter folder in memory.

    Attributes:
        tensors: what was trained, and the buffers that go with it. Each is read when it is asked for.
        record: what the JSON says: :class:`~lstta_core.adapter_record.CoreRecord`, and whatever the writer added, which
            nothing here looks at: ``extra`` and all other keys.
        folder: where it came from.
    """

    tensors: Mapping[str, Tensor]
    record: Mapping[str, Any]
    folder: Path


def trained_tensors(model: nn.Module, frozen: str | tuple[str, ...]) -> dict[str, Tensor]:
    """The part of a model's state that belongs into an adapter folder: what trains, and the buffers beside it.

    Of several named adapters only the active one trains. A buffer belongs to the module that it stands in: where that
    has parameters and none of them trains, its buffers stay behind too.

    Args:
        model: any module that holds frozen encoders.
        frozen: prefix of the names of the frozen encoders' state, or several; below it no buffers are kept.
    """
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in _trained(model, frozen).items()}


def _trained(model: nn.Module, frozen: str | tuple[str, ...]) -> dict[str, Tensor]:
    kept = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    for place, module in model.named_modules():
        own = [parameter.requires_grad for parameter in module.parameters(recurse=False)]
        for name, _ in module.named_buffers(recurse=False):
            whole = f"{place}.{name}" if place else name
            kept[whole] = not whole.startswith(frozen) and (any(own) or not own)
    return {name: tensor for name, tensor in model.state_dict().items() if kept.get(name, not name.startswith(frozen))}


def save_adapter(folder: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write an adapter folder, all of it or nothing: an existing one is replaced when the new one is complete.

    Whatever moment the process is killed at, :func:`read_adapter` finds the old folder or the new one.

    Args:
        folder: where to.
        tensors: as :func:`trained_tensors` gives them: contiguous, none sharing memory with another.
        record: what the JSON says besides the schema; :func:`~lstta_core.model_card.model_card` reads it too.

    Raises:
        NotFiniteError: a tensor, or a number of the record, is NaN or infinite; nothing is written.
    """
    folder = Path(folder)
    if bad := not_finite(tensors):
        raise NotFiniteError(
            f"{folder / TENSORS}: not written, since {few(bad)} would hold numbers that are NaN or infinite. "
            "Did training diverge? Look at the loss, and lower the learning rate"
        )
    text = json_text({**record, "schema": SCHEMA}, folder / RECORD)
    with whole_folder(folder) as draft:
        save_file(dict(tensors), draft / TENSORS)
        (draft / RECORD).write_bytes(text.encode())
        (draft / CARD).write_bytes(model_card(record).encode())
        (draft / TENSORS).chmod(0o644)


def read_adapter(folder: Path) -> AdapterFile:
    """Read an adapter folder, or the one that was moved aside by a save which was killed in the middle.

    Raises:
        FileNotFoundError: the folder or one of its two files is not there.
        AdapterFileError: a file is damaged, a key is of a wrong type, or its schema is newer than this version's.
    """
    folder = existing(Path(folder))
    for name in (RECORD, TENSORS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name}: no such file; an adapter folder holds {RECORD} and {TENSORS}")
    try:
        record = read_json(folder / RECORD)
    except RecordError as error:
        raise AdapterFileError(str(error)) from error
    if not isinstance(record, dict) or type(record.get("schema")) is not int or record["schema"] < 1:
        raise AdapterFileError(f"{folder / RECORD}: no integer 'schema'; this is not an adapter folder's record")
    if record["schema"] > SCHEMA:
        raise AdapterFileError(
            f"{folder / RECORD}: schema {record['schema']} is newer than {SCHEMA}, the newest that this "
            "lstta-core knows: update lstta-core"
        )
    if record["schema"] < SCHEMA:
        raise AdapterFileError(
            f"{folder / RECORD}: schema {record['schema']} is older than {SCHEMA}, and its adapters compute something "
            "else: load it with lstta-core 0.1, which wrote it, or train anew"
        )
    try:
        check(CoreRecord, record, folder / RECORD)
        return AdapterFile(StoredTensors(folder / TENSORS), record, folder)
    except (RecordError, DamagedTensorsError) as error:
        raise AdapterFileError(str(error)) from error


def check_digests(file: AdapterFile, digests: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Refuse encoders that the adapter was not trained on.

    Args:
        file: the adapter folder.
        digests: of the encoders at hand, by modality.
        names: of the encoders at hand, by modality, for the message.

    Raises:
        AdapterFileError: a modality is missing or extra, its record is malformed, or a digest differs.
    """
    trained_on = file.record.get("encoders")
    if not isinstance(trained_on, Mapping):
        raise AdapterFileError(
            f"{file.folder / RECORD}: 'encoders' must map modalities to encoders, got {trained_on!r}"
        )
    if set(trained_on) != set(digests):
        raise AdapterFileError(
            f"{file.folder / RECORD}: the adapter was trained with encoders for {sorted(trained_on)}, "
            f"the model has {sorted(digests)}"
        )
    for modality, digest in digests.items():
        base = trained_on[modality]
        if not isinstance(base, Mapping) or not all(isinstance(base.get(key), str) for key in ("name", "digest")):
            raise AdapterFileError(
                f"{file.folder / RECORD}: encoders.{modality} must have a 'name' and a 'digest', got {base!r}"
            )
        if base["digest"] != digest:
            raise AdapterFileError(
                f"{file.folder / RECORD}: the {modality} encoder was {base['name']!r} with digest "
                f"{base['digest'][:12]}…, the model's is {names[modality]!r} with digest {digest[:12]}…: "
                "use the encoder, revision and weights that the adapter was trained on, or train anew"
            )


def load_tensors(model: nn.Module, file: AdapterFile, frozen: str | tuple[str, ...], *, but: str | None = None) -> None:
    """Copy an adapter's tensors into a model; nothing is read or copied unless everything fits.

    Args:
        model: as it was when :func:`trained_tensors` was called on it.
        file: the adapter folder.
        frozen: as there.
        but: names that begin so stay as they are in the model, whatever the file has.

    Raises:
        AdapterFileError: a key is missing, extra, misshapen, of another kind of number, or holds one that is none.
    """
    check_tensors(model, file, frozen, but=but)
    tensors = {name: file.tensors[name] for name in file.tensors if but is None or not name.startswith(but)}
    if bad := not_finite(tensors):
        raise AdapterFileError(
            f"{file.folder / TENSORS}: {few(bad)} holds numbers that are NaN or infinite: its training diverged; train "
            "it anew"
        )
    model.load_state_dict(tensors, strict=False)


def check_tensors(
    model: nn.Module, file: AdapterFile, frozen: str | tuple[str, ...], *, but: str | None = None
) -> None:
    """Refuse a file whose tensors are not this model's, by their names, shapes and types: none is read.

    The model may be on the meta device, where it takes no memory. Arguments and errors are those of
    :func:`load_tensors`.
    """
    expected, given = (
        {name: kind for name, kind in kinds.items() if but is None or not name.startswith(but)}
        for kinds in (kinds_of(_trained(model, frozen)), kinds_of(file.tensors))
    )
    place = file.folder / TENSORS
    missing, extra = sorted(expected.keys() - given.keys()), sorted(given.keys() - expected.keys())
    if missing or extra:
        raise AdapterFileError(
            f"{place}: the tensors are not those of this model; missing: {few(missing)}; not expected: {few(extra)}. "
            "Build the model with the method and options of adapter.json"
        )
    for name, wanted in expected.items():
        _check_kind(f"{place}: {name}", given[name], wanted)


def _check_kind(place: str, given: Kind, wanted: Kind) -> None:
    if given.shape != wanted.shape:
        raise AdapterFileError(f"{place} has shape {given.shape}, the model wants {wanted.shape}")
    # Another precision is fine and is cast; integers in the place of reals are not.
    if given.dtype != wanted.dtype and not (given.is_real and wanted.is_real):
        raise AdapterFileError(f"{place} is {given.dtype}, the model wants {wanted.dtype}")
