"""Features that public data sets hand round as pickles, as files that are read without one.

The pickle is read by :mod:`lstta_tasks.annotations.pickles`, which builds numbers, texts and arrays and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstta_core.features import FeatureError, Features
from lstta_tasks.annotations.pickles import read_pickle
from lstta_tasks.features.write import Form, write_features

SPLITS = ("train", "valid", "test")
MODALITIES = {"vision": "visual", "audio": "audio", "text": "language"}
"""MMSA's names, and ours."""
BETWEEN = "$_$"
"""Between video and clip in MMSA's ids; a slash in those of the task ``sentiment``."""
PUNCHLINE, CONTEXT = "punchline_features", "context_features"


@dataclass
class Converted:
    """A file that was written.

    Attributes:
        path: of the file.
        count: how many clips it has features of.
        width: of a feature.
        zeroed: numbers that were NaN or infinite, and are 0 now.
    """

    path: Path
    count: int = 0
    width: int = 0
    zeroed: int = 0


def convert(pickle: Path, out: Path, *, form: Form = "npz", context: bool = False) -> list[Converted]:
    """Write the arrays of a pickle into files in a folder.

    MMSA's pickles give ``visual``, ``audio`` and ``language``; their ids become ``VIDEO/CLIP``. Padding is left out:
    what lies behind a row's length, or where none is said rows of zeros at either end. Others, an id's array or
    UR-FUNNY's arrays of punchline and context, give one file of the pickle's name.

    Args:
        pickle: the file.
        out: a folder.
        form: of the files.
        context: take UR-FUNNY's context in, before the punchline.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such pickle, asks for code, or is damaged.
        FeatureError: an array is none of features, or a file cannot be written.
    """
    content = read_pickle(pickle)
    if not isinstance(content, dict) or not content:
        raise FeatureError(f"{pickle}: an object is wanted, got {type(content).__name__}")
    splits = {name: content[name] for name in SPLITS if isinstance(content.get(name), dict) and "id" in content[name]}
    if not splits:
        stem = pickle.stem.removesuffix("_sdk").removesuffix("_features")
        return [_written(out / f"{stem}.{form}", _by_id(content, pickle, context), pickle)]
    there = [name for name in MODALITIES if all(name in arrays for arrays in splits.values())]
    if not there:
        raise FeatureError(f"{pickle}: it has ids, and none of {', '.join(MODALITIES)}")
    return [_written(out / f"{MODALITIES[name]}.{form}", _of_mmsa(splits, name, pickle), pickle) for name in there]


def _written(path: Path, entries: Iterator[tuple[str, Any]], pickle: Path) -> Converted:
    done = Converted(path)

    def features() -> Iterator[tuple[str, Features]]:
        for name, given in entries:
            values = _array(given, f"{pickle}, {name!r}")
            if not len(values):
                continue
            if done.width not in (0, values.shape[1]):
                raise FeatureError(f"{pickle}, {name!r}: features of width {values.shape[1]}, others have {done.width}")
            bad = ~np.isfinite(values)
            done.width = values.shape[1]
            done.zeroed += int(bad.sum())
            yield name, Features(np.where(bad, np.float32(0), values)[:, None])

    done.count = write_features(path, features(), of=f"{pickle.name} {path.stem}")
    return done


def _of_mmsa(splits: Mapping[str, Mapping[str, Any]], name: str, pickle: Path) -> Iterator[tuple[str, Any]]:
    for split, arrays in splits.items():
        ids, rows, lengths = arrays["id"], arrays[name], arrays.get(f"{name}_lengths")
        if len(ids) != len(rows) or (lengths is not None and len(lengths) != len(ids)):
            found = f"{len(ids)} of id, {len(rows)} of {name}"
            raise FeatureError(f"{pickle}, {split}: {found}" + (f", {len(lengths)} of its lengths" if lengths else ""))
        for place, (one, row) in enumerate(zip(ids, rows, strict=True)):
            length = None if lengths is None else int(lengths[place])
            if length is not None and not 0 <= length <= len(row):
                raise FeatureError(f"{pickle}, {split}, {one!r}: {name} has {len(row)} rows and the length {length}")
            yield str(one).replace(BETWEEN, "/"), _unpadded(np.asarray(row)) if length is None else row[:length]


def _unpadded(rows: NDArray[Any]) -> NDArray[Any]:
    """Without rows of zeros at either end."""
    filled = np.flatnonzero(rows.any(axis=tuple(range(1, rows.ndim))))
    return rows[filled[0] : filled[-1] + 1] if len(filled) else rows[:0]


def _by_id(content: Mapping[Any, Any], pickle: Path, context: bool) -> Iterator[tuple[str, Any]]:
    for name, given in content.items():
        if isinstance(given, dict):
            if PUNCHLINE not in given:
                raise FeatureError(f"{pickle}, {name!r}: {PUNCHLINE} is wanted, it has {', '.join(map(str, given))}")
            before = [*given.get(CONTEXT, ())] if context else []
            given = _joined([*before, given[PUNCHLINE]])
        yield str(name), given


def _joined(parts: Sequence[Any]) -> Any:
    """Rows of several arrays, one after the other; empty ones have none."""
    filled = [np.asarray(part) for part in parts if len(part)]
    return np.concatenate(filled) if filled else np.zeros((0, 1), np.float32)


def _array(given: Any, place: str) -> NDArray[np.float32]:
    """(n, D)."""
    try:
        values = np.asarray(given, np.float32)
    except (ValueError, TypeError) as error:
        raise FeatureError(f"{place}: it is no array of numbers: {error}") from error
    values = values[None] if values.ndim == 1 and len(values) else values
    if len(values) and values.ndim != 2:
        raise FeatureError(f"{place}: rows of features are wanted, got an array of shape {values.shape}")
    return values
