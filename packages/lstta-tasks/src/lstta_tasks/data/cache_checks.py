"""What a cache's records of JSON say, as plain dataclasses: checked before anything is made of it.

A cache may be a stranger's. What it says bounds what is allocated, so it is compared with what was asked for and with
what the file holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lstta_core.checked import RecordError, check, open_record
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.data.preprocessing import PreprocessingRecord


@dataclass(frozen=True)
class FeaturesRecord:
    """What a prefix cache says besides; see ``prefix_cache``."""

    encoders: Mapping[Literal["visual", "audio", "language"], str]
    blocks: Mapping[Literal["visual", "audio", "language"], int]
    dtype: Literal["float32", "bfloat16", "float16", "int8", "nf4"]
    text_length: int
    inputs: Mapping[Literal["visual", "audio"], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SettingsRecord:
    """What all entries of a cache have in common; the record of a build that goes on."""

    schema: int
    codec: Literal["raw", "jpeg", "features"]
    fingerprint: str
    preprocessing: PreprocessingRecord
    features: FeaturesRecord | None = None


@dataclass(frozen=True, kw_only=True)
class MetaRecord(SettingsRecord):
    """The record of a finished cache."""

    count: int
    digest: str
    grown_from: Sequence[str] = ()


@dataclass(frozen=True)
class FailureRecord:
    """A clip that could not be decoded."""

    id: str
    reason: str


@open_record
@dataclass(frozen=True)
class ClipHeader:
    """What a clip's header says of it without its arrays."""

    id: str
    has_video: bool
    has_sound: bool
    duration: float


def check_meta(meta: Any, place: str, entries: int) -> None:
    """Refuse a meta record that is none, or that counts more than the ``entries`` that there are.

    Raises:
        RecordError: it is.
    """
    check(MetaRecord, meta, place)
    if not 0 <= meta["count"] <= entries:
        raise RecordError(f"{place}: count: {meta['count']} are said to be in a file of {entries} entries")
    if (meta["codec"] == "features") != (meta.get("features") is not None):
        raise RecordError(f"{place}: features: a cache of states has it, and no other; its codec is {meta['codec']!r}")
    if meta.get("features") is not None and not 1 <= meta["features"]["text_length"] <= 1 << 20:
        raise RecordError(f"{place}: features.text_length: {meta['features']['text_length']} ids are no text's length")


def check_clip(header: Mapping[str, Any], preprocessing: Preprocessing) -> None:
    """Refuse a clip's header that says other shapes than the cache's preprocessing has, before any array is made.

    Raises:
        ValueError: it does; the message names the field.
    """
    wanted = {
        "frames_shape": [preprocessing.segments, preprocessing.frames_per_segment, *preprocessing.frame_size, 3],
        "sound_shape": [preprocessing.segments, preprocessing.sound_samples],
    }
    for name, shape in wanted.items():
        if header[name] != shape:
            raise ValueError(f"{name}: {shape} is wanted, got {header[name]!r:.80}")
    if type(header["has_video"]) is not bool or type(header["has_sound"]) is not bool:
        raise ValueError("has_video, has_sound: true or false are wanted")
    if type(header["duration"]) not in (int, float) or not 0 <= header["duration"] < 1e9:
        raise ValueError(f"duration: seconds are wanted, got {header['duration']!r:.80}")
