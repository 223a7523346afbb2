"""Write a clip as the bytes that :mod:`lstta_tasks.data.cache_record` reads, and check that they are still those."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data.cache_files import identity
from lstta_tasks.data.cache_layout import stored_checksum
from lstta_tasks.data.cache_record import ALIGN, BODY, MAGIC, PREFIX, Codec
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.data.jpeg import to_jpeg


def pack(source: ClipSource, clip: Clip, codec: Codec) -> bytes:
    """The record of a clip. What a clip does not have takes no room."""
    arrays: dict[str, NDArray[Any]] = {"frame_times": clip.frame_times, "sound_length": clip.sound_length}
    header: dict[str, Any] = {
        "id": source.id,
        "source": identity(source),
        "codec": codec,
        "has_video": clip.has_video,
        "has_sound": clip.has_sound,
        "duration": clip.duration,
        "frames_shape": clip.frames.shape,
        "sound_shape": clip.sound.shape,
    }
    if clip.has_sound:
        arrays["sound"] = clip.sound
    if clip.has_video and codec == "raw":
        arrays["frames"] = clip.frames
    elif clip.has_video:
        pictures = [to_jpeg(frame) for frame in clip.frames.reshape(-1, *clip.frames.shape[2:])]
        header["jpeg_bytes"] = [len(picture) for picture in pictures]
        arrays["frames"] = np.frombuffer(b"".join(pictures), np.uint8)
    return assemble(header, arrays)


def assemble(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """A record of any header and arrays; their places are added to the header."""
    offset = 0  # counted from the end of the header, so that the header's length does not change it
    places = {}
    for name, array in arrays.items():
        places[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += -(-array.nbytes // ALIGN) * ALIGN
    text = json.dumps({**header, "arrays": places}, separators=(",", ":")).encode()
    text += b" " * (-(PREFIX + len(text)) % ALIGN)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays.values():
        parts += [array.tobytes(), bytes(-array.nbytes % ALIGN)]
    body = b"".join(parts)
    return MAGIC + _checksum(body) + body


def is_intact(record: memoryview) -> bool:
    """Whether the record is as it was written, to the last bit."""
    return record[: len(MAGIC)] == MAGIC and stored_checksum(record) == _checksum(record[BODY:])


def _checksum(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
