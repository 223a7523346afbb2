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
    return assemble(header, arrays)


def unpack(record: memoryview, frames: NDArray[np.uint8] | None = None, sound: NDArray[np.int16] | None = None) -> Clip:
    """The clip of a record; its arrays are copies of their own, straight out of the record.

    Args:
        record: as :func:`pack` made it.
        frames: (T, F, H, W, 3), contiguous: where the frames are to be put; by default an array of their own.
        sound: (T, n), contiguous: likewise.

    Raises:
        ValueError: the record is no record, shorter than its header says, or does not fit the arrays.
    """
    header = read_header(record)
    frames = _room(frames, header["frames_shape"], np.dtype(np.uint8))
    sound = _room(sound, header["sound_shape"], np.dtype(np.int16))
    if not header["has_video"]:
        frames[...] = 0
    elif header["codec"] == "raw":
        np.copyto(frames, view(record, header, "frames"))
    else:
        _from_jpeg(view(record, header, "frames"), header["jpeg_bytes"], frames)
    if header["has_sound"]:
        np.copyto(sound, view(record, header, "sound"))
    else:
        sound[...] = 0
    return Clip(
        frames=frames,
        frame_times=view(record, header, "frame_times").copy(),
        sound=sound,
        sound_length=view(record, header, "sound_length").copy(),
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


def assemble(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """A record of any header and arrays; their places are added to the header."""
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


def _room(given: NDArray[Any] | None, shape: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    if given is None:
        return np.empty(shape, dtype)
    if given.shape != tuple(shape) or given.dtype != dtype:
        raise ValueError(f"it holds {dtype} of shape {tuple(shape)}, asked for {given.dtype} of {given.shape}")
    return given


def view(record: memoryview, header: dict[str, Any], name: str) -> NDArray[Any]:
    """An array of the record where it lies; not to be kept, since the record is unmapped after reading."""
    (length,) = struct.unpack_from("<I", record, _BODY)
    place = header["arrays"][name]
    dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
    return np.frombuffer(record, dtype, int(np.prod(shape)), _PREFIX + length + place["offset"]).reshape(shape)


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
