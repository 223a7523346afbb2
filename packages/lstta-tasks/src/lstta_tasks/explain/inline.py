"""Pictures and sounds as addresses that hold them, for pages that open without a network."""

from __future__ import annotations

import base64
import io
import wave

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.palette import SPECTROGRAM
from lstta_tasks.explain.spectrogram import RANGE

LARGEST = 2_000_000  # bytes of a sound


def frame(pixels: NDArray[np.uint8]) -> str:
    """A frame (H, W, 3) as a JPEG."""
    return _address("image/jpeg", _saved(Image.fromarray(pixels), "JPEG", quality=85))


def colours(decibels: NDArray[np.float32]) -> str:
    """A spectrogram as a PNG, clear where nothing is known."""
    shades = np.nan_to_num((decibels[::-1] + RANGE) / RANGE)
    pixels = colormaps[SPECTROGRAM](shades, bytes=True)
    pixels[..., 3] = np.where(np.isnan(decibels[::-1]), 0, 255)
    image = Image.fromarray(pixels)
    return _address("image/png", _saved(image, "PNG", optimize=True))


def sound(media: Media) -> str | None:
    """All of a clip's sound as a WAV file; None where there is none, too much, or not all is known."""
    if 2 * media.samples > LARGEST:
        return None
    line, is_known = media.sound()
    if not is_known.any() or is_known[: int(np.flatnonzero(is_known)[-1])].mean() < 0.99:
        return None
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(media.preprocessing.sample_rate)
        writer.writeframes(line.astype("<i2").tobytes())
    return _address("audio/wav", file.getvalue())


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
