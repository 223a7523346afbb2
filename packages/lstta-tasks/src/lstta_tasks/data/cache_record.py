"""One clip as bytes: a header that describes itself, the arrays, and a checksum over both. See also ``cache_packing``.

8 bytes   b"LSTTACLP"
16 bytes  BLAKE2b of all that follows
4 bytes   length of the header, little endian
header    JSON
arrays    each at a multiple of 16 bytes from the record's start
"""

from __future__ import annotations

import json
import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data.cache_checks import check_clip
from lstta_tasks.data.clip import Clip, Preprocessing
from lstta_tasks.data.jpeg import from_jpeg

Codec = Literal["raw", "jpeg"]

MAGIC = b"LSTTACLP"
BODY = len(MAGIC) + 16
PREFIX = BODY + 4
ALIGN = 16
MOST_HEADER = 1 << 20


def unpack(
    record: memoryview,
    frames: NDArray[np.uint8] | None = None,
    sound: NDArray[np.int16] | None = None,
    preprocessing: Preprocessing | None = None,
) -> Clip:
    """The clip of a record; its arrays are copies of their own, straight out of the record.

    ``frames`` (T, F, H, W, 3) and ``sound`` (T, n), contiguous, are where they are put; by default own arrays.
    Raises a ValueError where the record is none, is shorter than its header says, or does not fit the arrays or the
    ``preprocessing`` that the clip should be of.
    """
    header = read_header(record)
    if preprocessing is not None:
        check_clip(header, preprocessing)
    frames = _room(frames, header["frames_shape"], np.dtype(np.uint8))
    sound = _room(sound, header["sound_shape"], np.dtype(np.int16))
    if not header["has_video"]:
        frames[...] = 0
    elif header["codec"] == "raw":
        np.copyto(frames, view(record, header, "frames"))
    else:
        from_jpeg(view(record, header, "frames"), header["jpeg_bytes"], frames)
    if header["has_sound"]:
        np.copyto(sound, view(record, header, "sound"))
    else:
        sound[...] = 0
    times, length = (view(record, header, name).copy() for name in ("frame_times", "sound_length"))
    if (times.dtype.kind, times.shape, length.dtype.kind, length.shape) != (
        "f",
        frames.shape[:2],
        "i",
        sound.shape[:1],
    ):
        raise ValueError(f"frame_times, sound_length: {times.dtype} of {times.shape}, {length.dtype} of {length.shape}")
    counts = length.tolist()
    if min(counts, default=0) < 0 or max(counts, default=0) > sound.shape[1]:
        raise ValueError(f"sound_length: counts of {sound.shape[1]} samples are wanted, got {counts!r:.80}")
    return Clip(frames, times, sound, length, header["has_video"], header["has_sound"], header["duration"])


def read_header(record: memoryview) -> dict[str, Any]:
    """The header: id, source, codec, what there is, and where each array lies; a ValueError where it is no record."""
    if len(record) < PREFIX or record[: len(MAGIC)] != MAGIC:
        raise ValueError("not a clip's record")
    (length,) = struct.unpack_from("<I", record, BODY)
    if length > MOST_HEADER:
        raise ValueError(f"the record's header has {length:,} bytes, {MOST_HEADER:,} at most are read")
    try:
        header = json.loads(bytes(record[PREFIX : PREFIX + length]))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the record's header is damaged: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("id"), str):
        raise ValueError("the record's header is no object with an id")
    return header


def view(record: memoryview, header: dict[str, Any], name: str) -> NDArray[Any]:
    """An array of the record where it lies; not to be kept, since the record is unmapped after reading."""
    (length,) = struct.unpack_from("<I", record, BODY)
    place = header["arrays"][name]
    dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
    return np.frombuffer(record, dtype, int(np.prod(shape)), PREFIX + length + place["offset"]).reshape(shape)


def _room(given: NDArray[Any] | None, shape: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    given = np.empty(shape, dtype) if given is None else given
    if given.shape != tuple(shape) or given.dtype != dtype:
        raise ValueError(f"it holds {dtype} of shape {tuple(shape)}, asked for {given.dtype} of {given.shape}")
    return given
