"""From a decoded picture to a frame of the wanted size: upright, with square pixels, cropped, squashed or padded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from lstta_tasks.data.clip import Fit

_BICUBIC = Image.Resampling.BICUBIC


def resize(
    picture: VideoFrame, size: tuple[int, int], fit: Fit, pixel_aspect: Fraction | None = None
) -> NDArray[np.uint8]:
    """One frame, (H, W, 3), uint8, RGB.

    Args:
        picture: as decoded. Its display matrix, if it has one, is applied.
        size: (H, W) of the frame, seen upright.
        fit: see :class:`~lstta_tasks.data.clip.Preprocessing`.
        pixel_aspect: width of a stored pixel divided by its height, None for square ones.
    """
    matrix = _display_matrix(picture)
    transposed = abs(matrix[0, 1]) > abs(matrix[0, 0])
    height, width = size[::-1] if transposed else size
    image = Image.fromarray(picture.to_ndarray(format="rgb24"))
    return np.ascontiguousarray(_upright(_fit(image, width, height, fit, float(pixel_aspect or 1)), matrix))


def _fit(image: Image.Image, width: int, height: int, fit: Fit, pixel_aspect: float) -> NDArray[np.uint8]:
    if fit == "squash":
        return np.asarray(image.resize((width, height), _BICUBIC))
    across, down = image.width * pixel_aspect, float(image.height)  # as seen, in square pixels
    if fit == "crop":
        scale = max(width / across, height / down)
        kept_across, kept_down = width / scale / pixel_aspect, height / scale
        left, top = max(0.0, (image.width - kept_across) / 2), max(0.0, (image.height - kept_down) / 2)
        box = (left, top, min(image.width, left + kept_across), min(image.height, top + kept_down))
        return np.asarray(image.resize((width, height), _BICUBIC, box=box))
    scale = min(width / across, height / down)
    inner = (max(1, round(across * scale)), max(1, round(down * scale)))
    padded = Image.new("RGB", (width, height))
    padded.paste(image.resize(inner, _BICUBIC), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return np.asarray(padded)


def _display_matrix(picture: VideoFrame) -> NDArray[np.int32]:
    """The 2 × 2 part of the display matrix: where (right, down) of the stored picture point to when shown."""
    data: Any = picture.side_data.get("DISPLAYMATRIX")  # PyAV's types know only motion vectors here
    if data is None:
        return np.eye(2, dtype=np.int32)
    return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]


def _upright(frame: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    (a, b), (c, d) = matrix
    if abs(b) > abs(a):
        frame, a, d = frame.swapaxes(0, 1), c, b
    return frame[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
