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
    """Fill ``frames`` (…, H, W, 3) with pictures whose files, of these sizes in bytes, lie one after the other."""
    ends = np.cumsum(sizes)
    flat = frames.reshape(-1, *frames.shape[2:])
    for frame, begin, end in zip(flat, ends - sizes, ends, strict=True):
        frame[:] = np.asarray(Image.open(io.BytesIO(data[begin:end].tobytes())))
