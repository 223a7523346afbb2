"""Resizing against a slow and plain way of doing the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from lstta_tasks.data.resize import resize


def picture(height: int, width: int) -> np.ndarray[Any, Any]:
    """Smooth, so that the way of interpolating hardly matters."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x / width, 255 * y / height, 120 + 0 * x], axis=2).astype(np.uint8)


def plain(image: np.ndarray[Any, Any], size: tuple[int, int], fit: str, aspect: float) -> np.ndarray[Any, Any]:
    """Make the pixels square first, then resize the short side and cut, or the long side and fill up."""
    whole = Image.fromarray(image)
    whole = whole.resize((round(whole.width * aspect * 4), whole.height * 4))
    height, width = size
    if fit == "squash":
        return np.asarray(whole.resize((width, height)))
    choose = max if fit == "crop" else min
    scale = choose(width / whole.width, height / whole.height)
    whole = whole.resize((round(whole.width * scale), round(whole.height * scale)))
    result = Image.new("RGB", (width, height))
    result.paste(whole, ((width - whole.width) // 2, (height - whole.height) // 2))
    return np.asarray(result)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(35, 35), (22, 53), (53, 22)])
@pytest.mark.parametrize("stored", [(97, 131), (131, 97), (101, 101)])
@pytest.mark.parametrize("aspect", [None, Fraction(4, 3), Fraction(1, 2)])
def test_frames_equal_the_plain_way(
    fit: Any, size: tuple[int, int], stored: tuple[int, int], aspect: Fraction | None
) -> None:
    image = picture(*stored)
    frame = resize(av.VideoFrame.from_ndarray(image, format="rgb24"), size, fit, aspect)
    expected = plain(image, size, fit, float(aspect or 1)).astype(int)
    assert frame.shape == (*size, 3)
    assert frame.flags.c_contiguous
    inner = (slice(2, -2), slice(2, -2))
    difference = np.abs(frame.astype(int) - expected)[inner]
    # A bar's edge may lie a pixel off.
    assert np.percentile(difference, 85) <= 6


def test_a_picture_of_any_shape_can_be_cropped() -> None:
    """A strip of 1 × 3,000 would be 672,000 pixels wide before cropping."""
    frame = resize(av.VideoFrame.from_ndarray(picture(1, 3_000), format="rgb24"), (224, 224), "crop")
    np.testing.assert_allclose(frame[..., 0], 127, atol=2)
