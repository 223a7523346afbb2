"""Prefix caches: the encoders' states at the first adapted stage, so that training runs no frozen prefix.

A prefix cache is a cache folder like that of the clips (see ``cache_layout``), with the codec ``"features"``, more in
its settings, and these entries:

    visual:<hash>, audio:<hash>   the state of a clip; the hash is that of the clip in the clips' cache
    language:<hash>               the state of a text, padded to the longest; the hash is that of its token ids. Where
                                  texts are cut into segments, that of a segment's
    shared:<modality>             extras that are the same for every batch
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lstta_core.checked import check, open_record
from lstta_core.interfaces import EncoderState, Modality
from lstta_core.streams import Layout
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_errors import absent
from lstta_tasks.data.cache_packing import assemble
from lstta_tasks.data.cache_record import read_header, view
from lstta_tasks.data.cache_shards import shard_counts
from lstta_tasks.data.clip import Preprocessing

CODEC = "features"
_BITS = {torch.bfloat16: torch.int16}
"""Types that NumPy does not have, and those that stand for their bits."""
_DTYPES = {
    name: getattr(torch, name)
    for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
}
_DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, MemoryError)  # what a record may raise


@dataclass(frozen=True, kw_only=True)
class PrefixSettings:
    """What the states of a prefix cache have in common besides the clips' preprocessing.

    Attributes:
        encoders: the digest of each encoder's weights, by modality.
        inputs: the digest of how the input of sight and of sound is made, see
            :func:`~lstta_core.input_digest.input_digest`; a text is known by its ids.
        blocks: how many blocks of each encoder lie before the first adapted stage, at which the states were taken.
        dtype: of the frozen weights, in which they were computed.
    """

    encoders: Mapping[str, str]
    inputs: Mapping[str, str]
    blocks: Mapping[str, int]
    dtype: str

    def check(self, path: Path, given: Mapping[str, Any]) -> None:
        """Raise a CacheError that names every setting in which a prefix cache differs, and both values.

        It may hold the states of more encoders. One of before 0.2 does not say how inputs were made: a warning says so.
        """
        wanted = asdict(self)
        if "inputs" not in given:
            warnings.warn(
                f"{path} does not say how its encoders' inputs were made, as none did before 0.2: if an encoder's span "
                "or seconds have changed since, build another under another path with lstta cache prefix",
                stacklevel=2,
            )
            given = {**given, "inputs": wanted["inputs"]}
        mine = {
            name: {m: part for m, part in value.items() if m in self.encoders} if isinstance(value, dict) else value
            for name, value in given.items()
        }
        lines = [
            f"{field.name}: {wanted[field.name]!r} here, {mine.get(field.name)!r} there"
            for field in fields(self)
            if wanted[field.name] != mine.get(field.name)
        ]
        if lines:
            raise CacheError(
                f"{path} holds the states of another model ('here' is wanted, 'there' is the prefix cache):\n  "
                + "\n  ".join(lines)
                + "\nBuild another under another path with lstta cache prefix, or change the settings back."
            )

    def record(self, preprocessing: Preprocessing, text_length: int) -> dict[str, Any]:
        """For the cache's settings record. ``text_length`` is what texts are padded to, in ids."""
        return {
            **layout.settings(preprocessing, "raw"),
            "codec": CODEC,
            "features": {**asdict(self), "text_length": text_length},
        }


class StoredState(NamedTuple):
    """Of a clip or text: its state, whether it is there at all, and a text's length before it was padded."""

    state: EncoderState
    present: bool
    length: int


class SharedState(NamedTuple):
    """What all states of a modality have in common: extras, and which axes of all extras count tokens of a text."""

    extras: dict[str, Tensor]
    token_axes: dict[str, list[int]]


def clip_key(modality: Modality, checksum: str) -> str:
    """Of a clip's state, given the clip's checksum."""
    return f"{modality}:{checksum}"


def text_key(ids: Sequence[int]) -> str:
    """Of a text's state, given its token ids."""
    return f"{Modality.LANGUAGE}:{hashlib.sha256(repr(list(ids)).encode()).hexdigest()}"


def shared_key(modality: Modality) -> str:
    """Of the extras that all states of a modality have in common."""
    return f"shared:{modality}"


def pack_state(key: str, state: EncoderState, *, present: bool, length: int = 0) -> bytes:
    """The record of one clip's or text's state; ``length`` is a text's before it was padded, in ids."""
    tensors = {"tokens": state.tokens, "mask": state.mask, "segment": state.layout.segment}
    for name in ("index", "filled"):
        if (part := getattr(state.layout, name)) is not None:
            tensors[name] = part
    header = {
        "present": present,
        "length": length,
        "segments": state.layout.segments,
        "rows_per_clip": state.layout.rows_per_clip,
    }
    return pack_tensors(key, {**tensors, **{f"extras.{name}": tensor for name, tensor in state.extras.items()}}, header)


def unpack_state(record: memoryview) -> StoredState:
    """The inverse of :func:`pack_state`; tensors are copied out of the record. A ValueError where they do not fit."""
    header, tensors = unpack_tensors(record)
    check(StateHeader, header, "its header")
    _check_fits(header, tensors)
    extras = {name.removeprefix("extras."): value for name, value in tensors.items() if name.startswith("extras.")}
    placed = Layout(
        tensors["segment"], header["segments"], header["rows_per_clip"], tensors.get("index"), tensors.get("filled")
    )
    state = EncoderState(tensors["tokens"], tensors["mask"], placed, extras)
    return StoredState(state, header["present"], header["length"])


@open_record
@dataclass(frozen=True)
class StateHeader:
    """Of a state's record; see :func:`pack_state`."""

    present: bool
    length: int
    segments: int
    rows_per_clip: int


def _check_fits(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are not a state's of one clip or text: what follows takes memory by their numbers."""
    tokens, mask, segment = tensors["tokens"], tensors["mask"], tensors["segment"]
    if tokens.ndim != 3 or not tokens.is_floating_point() or not tokens.shape[:2] == mask.shape == segment.shape:
        raise ValueError(f"tokens, mask, segment: shapes {[list(t.shape) for t in (tokens, mask, segment)]}")
    if (mask.dtype, segment.dtype, header["rows_per_clip"]) != (torch.bool, torch.int64, len(tokens)):
        raise ValueError(f"mask is {mask.dtype}, segment {segment.dtype}, rows_per_clip {header['rows_per_clip']}")
    places, segments = mask.numel(), header["segments"]
    if ("index" in tensors) != ("filled" in tensors):
        raise ValueError("index, filled: one of the two is missing")
    if "index" in tensors:
        index, filled = tensors["index"], tensors["filled"]
        shape = (index.dtype, filled.dtype, index.shape[:2], index.shape)
        if shape != (torch.int64, torch.bool, (1, segments), filled.shape):
            raise ValueError(f"index, filled: {index.dtype} of {list(index.shape)}, {filled.dtype} of {filled.shape}")
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < places:
            raise ValueError(f"index: places of {places} are wanted")
    elif segments < 1 or places % segments:
        raise ValueError(f"segments: {places} places do not divide into {segments}")
    if not 0 <= header["length"] <= 1 << 20:
        raise ValueError(f"length: {header['length']} ids are no text's length")


def pack_tensors(key: str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> bytes:
    """A record of tensors of any type."""
    kinds = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    arrays = {
        name: tensor.detach().cpu().contiguous().view(_BITS.get(tensor.dtype, tensor.dtype)).numpy()
        for name, tensor in tensors.items()
    }
    return assemble({"id": key, "source": None, "dtypes": kinds, **header}, arrays)


def unpack_tensors(record: memoryview) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header, and the tensors as copies of their own."""
    header = read_header(record)
    return header, {
        name: torch.from_numpy(view(record, header, name).copy()).view(_DTYPES[kind])
        for name, kind in header["dtypes"].items()
    }


class PrefixReader:
    """A finished prefix cache, in one piece or in shards.

    Args:
        path: its folder.
        preprocessing: of the clips.
        settings: of the model that is to read it.

    Raises:
        CacheError: there is none, it is not finished, it holds clips, it was made with other preprocessing or by
            another model, or shards pad texts to other lengths.
    """

    def __init__(self, path: Path | str, preprocessing: Preprocessing, settings: PrefixSettings) -> None:
        self.path = Path(path)
        if not (self.path / layout.DATA_FILE).is_file() and not shard_counts(self.path):
            raise absent(self.path, prefix=True)
        self._cache = open_cache(self.path, preprocessing)
        lengths: dict[int, Path] = {}
        for part in [self._cache] if isinstance(self._cache, CacheReader) else self._cache.readers:
            check_is_prefix(part.path, part.meta)
            settings.check(part.path, part.meta["features"])
            lengths.setdefault(part.meta["features"]["text_length"], part.path)
        if len(lengths) > 1:
            said = " and ".join(f"{path.name} to {length} ids" for length, path in lengths.items())
            raise CacheError(
                f"shards of {self.path} pad texts to other lengths, {said}: remove them and build them anew"
            )

    def __contains__(self, key: str) -> bool:
        return key in self._cache

    def __len__(self) -> int:
        return len(self._cache)

    def state(self, key: str) -> StoredState:
        """A clip's or a text's state.

        Raises:
            KeyError: the cache does not have it.
            CacheError: its record is damaged.
        """
        record = self._cache.read_record(key)
        try:
            return unpack_state(memoryview(record))
        except _DAMAGE as error:
            raise CacheError(f"the state {key} in {self.path} is damaged: {error}") from error

    def shared(self, modality: Modality) -> SharedState:
        """What all states of a modality have in common."""
        key = shared_key(modality)
        record = self._cache.read_record(key)
        try:
            header, extras = unpack_tensors(memoryview(record))
            check(Mapping[str, list[int]], header["token_axes"], "its header", "token_axes")
        except _DAMAGE as error:
            raise CacheError(f"the state {key} in {self.path} is damaged: {error}") from error
        return SharedState(extras, header["token_axes"])


def check_is_prefix(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise a CacheError where a cache holds clips instead."""
    if settings["codec"] != CODEC:
        raise CacheError(
            f"{path} is a cache of clips (codec {settings['codec']!r}), a prefix cache (codec {CODEC!r}) is wanted: "
            "clips.prefix and clips.cache need paths of their own"
        )
