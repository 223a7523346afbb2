"""Frames as JPEG, for caches that are to be small."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY = 95


def to_jpeg(frame: NDArray[np.uint8]) -> bytes:
    """A frame (H, W, 3), RGB, as a file's bytes."""
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def from_jpeg(data: NDArray[np.uint8], sizes: list[int], frames: NDArray[np.uint8]) -> None:
    """Fill ``frames`` (…, H, W, 3) with pictures whose files, of these sizes in bytes, lie one after the other.

    No other decoder than that of JPEG is asked, and none before the picture's header says the frame's size.
    Raises a ValueError where a picture is something else.
    """
    ends = np.cumsum(sizes)
    flat = frames.reshape(-1, *frames.shape[2:])
    if len(sizes) != len(flat) or min(sizes, default=0) < 0 or sum(sizes) != data.size:
        raise ValueError(f"jpeg_bytes: the sizes of {len(flat)} pictures in {data.size} bytes are wanted")
    for frame, begin, end in zip(flat, ends - sizes, ends, strict=True):
        with Image.open(io.BytesIO(data[begin:end].tobytes()), formats=("JPEG",)) as picture:
            if (*picture.size[::-1], len(picture.getbands())) != frame.shape:
                raise ValueError(f"frames: a picture of {picture.size} {picture.mode} for a frame of {frame.shape}")
            frame[:] = np.asarray(picture)
