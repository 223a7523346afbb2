"""One clip as bytes: a header that describes itself, the arrays, and a checksum over both.

8 bytes   b"LSTTACLP"
16 bytes  BLAKE2b of all that follows
4 bytes   length of the header, little endian
header    JSON
arrays    each at a multiple of 16 bytes from the record's start
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstta_tasks.data.clip import Clip, ClipSource

Codec = Literal["raw", "jpeg"]

_MAGIC = b"LSTTACLP"
_BODY = len(_MAGIC) + 16
_PREFIX = _BODY + 4
_ALIGN = 16
_JPEG_QUALITY = 95


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
        pictures = [_to_jpeg(frame) for frame in clip.frames.reshape(-1, *clip.frames.shape[2:])]
        header["jpeg_bytes"] = [len(picture) for picture in pictures]
        arrays["frames"] = np.frombuffer(b"".join(pictures), np.uint8)
    return _assemble(header, arrays)


def unpack(record: memoryview) -> Clip:
    """The clip of a record; its arrays are copies of their own, straight out of the record.

    Raises:
        ValueError: the record is no record, or shorter than its header says.
    """
    header = read_header(record)
    frames = np.zeros(header["frames_shape"], np.uint8)
    if header["has_video"] and header["codec"] == "raw":
        frames = _array(record, header, "frames")
    elif header["has_video"]:
        _from_jpeg(_array(record, header, "frames"), header["jpeg_bytes"], frames)
    sound = _array(record, header, "sound") if header["has_sound"] else np.zeros(header["sound_shape"], np.int16)
    return Clip(
        frames=frames,
        frame_times=_array(record, header, "frame_times"),
        sound=sound,
        sound_length=_array(record, header, "sound_length"),
        has_video=header["has_video"],
        has_sound=header["has_sound"],
        duration=header["duration"],
    )


def read_header(record: memoryview) -> dict[str, Any]:
    """The header: id, source, codec, what there is, and where each array lies.

    Raises:
        ValueError: the bytes are no record.
    """
    if len(record) < _PREFIX or record[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a clip's record")
    (length,) = struct.unpack_from("<I", record, _BODY)
    try:
        header = json.loads(bytes(record[_PREFIX : _PREFIX + length]))
    except ValueError as error:
        raise ValueError(f"the record's header is damaged: {error}") from error
    assert isinstance(header, dict)
    return header


def stored_checksum(record: memoryview) -> bytes:
    """The checksum in the record (16 bytes); equal clips of equal sources have equal ones."""
    return bytes(record[len(_MAGIC) : _BODY])


def is_intact(record: memoryview) -> bool:
    """Whether the record is as it was written, to the last bit."""
    return record[: len(_MAGIC)] == _MAGIC and stored_checksum(record) == _checksum(record[_BODY:])


def identity(source: ClipSource) -> dict[str, Any]:
    """What tells that a source is still the one a record was made of: sizes in bytes, and the span in seconds.

    No paths or dates, so that a data set may move and two machines may build the same cache.
    """
    return {
        "video_bytes": source.video.stat().st_size if source.video is not None else None,
        "sound_bytes": source.sound.stat().st_size if source.sound is not None else None,
        "start": source.start,
        "end": source.end,
    }


def _assemble(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    offset = 0  # counted from the end of the header, so that the header's length does not change it
    places = {}
    for name, array in arrays.items():
        places[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    text = json.dumps({**header, "arrays": places}, separators=(",", ":")).encode()
    text += b" " * (-(_PREFIX + len(text)) % _ALIGN)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays.values():
        parts += [array.tobytes(), bytes(-array.nbytes % _ALIGN)]
    body = b"".join(parts)
    return _MAGIC + _checksum(body) + body


def _array(record: memoryview, header: dict[str, Any], name: str) -> NDArray[Any]:
    (length,) = struct.unpack_from("<I", record, _BODY)
    place = header["arrays"][name]
    dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
    flat = np.frombuffer(record, dtype, int(np.prod(shape)), _PREFIX + length + place["offset"])
    return flat.reshape(shape).copy()


def _checksum(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _to_jpeg(frame: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _from_jpeg(data: NDArray[np.uint8], sizes: list[int], frames: NDArray[np.uint8]) -> None:
    ends = np.cumsum(sizes)
    flat = frames.reshape(-1, *frames.shape[2:])
    for frame, begin, end in zip(flat, ends - sizes, ends, strict=True):
        frame[:] = np.asarray(Image.open(io.BytesIO(data[begin:end].tobytes())))
