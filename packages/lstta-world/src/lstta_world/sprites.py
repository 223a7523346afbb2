"""The pictures of the instruments: ten distinct shapes in ten colour families.

Each instrument is one function that draws on a canvas of 80 × 100 units, feet at the bottom, in shades of a base
colour; families lie 36 degrees of hue apart. Canvases are drawn three times too large and reduced, which smooths edges.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

from PIL import Image, ImageDraw

from lstta_world.scene import INSTRUMENTS

WIDTH, HEIGHT = 80, 100
OVERSAMPLE = 3
Colour = tuple[int, int, int]
LIGHT: Colour = (245, 240, 225)
DARK: Colour = (28, 24, 30)

# Degrees of hue and brightness (0 … 1) of each kind.
COLOURS = {
    "accordion": (0, 0.85),
    "cello": (26, 0.62),
    "drum": (214, 0.9),
    "flute": (180, 0.85),
    "guzheng": (255, 0.7),
    "piano": (330, 0.4),
    "trumpet": (52, 0.98),
    "ukulele": (95, 0.7),
    "violin": (290, 0.75),
    "xylophone": (145, 0.75),
}
assert set(COLOURS) == set(INSTRUMENTS)


def sprite(instrument: str, hue: float = 0.0, lightness: float = 1.0, size: float = 1.0) -> Image.Image:
    """An RGBA picture of about (80 * size, 100 * size) pixels; ``hue`` in degrees is added to its kind's."""
    degrees, value = COLOURS[instrument]
    shades = [_shade(degrees + hue, 0.85, min(1.0, value * lightness * factor)) for factor in (1.0, 0.6, 1.25)]
    canvas = Image.new("RGBA", (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE))
    DRAWINGS[instrument](_Pen(ImageDraw.Draw(canvas)), *shades)
    return canvas.resize((round(WIDTH * size), round(HEIGHT * size)), Image.Resampling.BOX)


def _shade(degrees: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(degrees / 360 % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


class _Pen:
    """Draws in canvas units instead of pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self._draw.rectangle(_pixels(x0, y0, x1, y1), fill, DARK, OVERSAMPLE)

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self._draw.ellipse(_pixels(x0, y0, x1, y1), fill, DARK, OVERSAMPLE)

    def shape(self, *points: float, fill: Colour) -> None:
        self._draw.polygon(_pixels(*points), fill, DARK, OVERSAMPLE)

    def line(self, *points: float, fill: Colour, width: float = 2) -> None:
        self._draw.line(_pixels(*points), fill, round(width * OVERSAMPLE), joint="curve")


def _pixels(*values: float) -> list[float]:
    return [value * OVERSAMPLE for value in values]


def _accordion(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.box(6, 34, 24, 90, base)
    pen.box(56, 34, 74, 90, base)
    for x in range(24, 56, 8):
        pen.shape(x, 40, x + 4, 34, x + 8, 40, x + 8, 84, x + 4, 90, x, 84, fill=LIGHT if x % 16 else bright)
    for y in range(42, 86, 10):
        pen.box(61, y, 72, y + 5, LIGHT)
        pen.oval(11, y, 18, y + 6, dark)


def _cello(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.line(40, 84, 40, 99, fill=DARK, width=3)
    pen.oval(16, 52, 64, 94, base)
    pen.oval(22, 30, 58, 66, base)
    pen.oval(26, 44, 54, 70, base)
    pen.box(36, 2, 44, 62, dark)
    pen.oval(34, 0, 46, 10, dark)
    pen.line(40, 10, 40, 84, fill=LIGHT, width=1.5)
    pen.line(29, 58, 27, 74, fill=DARK, width=2)
    pen.line(51, 58, 53, 74, fill=DARK, width=2)
    pen.box(30, 74, 50, 78, bright)


def _drum(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.oval(8, 70, 72, 98, dark)
    pen.box(8, 50, 72, 84, base)
    for x in range(8, 72, 16):
        pen.line(x, 52, x + 8, 82, x + 16, 52, fill=LIGHT, width=2)
    pen.oval(8, 36, 72, 64, bright)
    pen.oval(13, 39, 67, 61, LIGHT)


def _flute(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.shape(2, 86, 70, 22, 77, 30, 9, 94, fill=base)
    pen.shape(2, 86, 12, 77, 19, 84, 9, 94, fill=dark)
    pen.shape(56, 35, 62, 29, 69, 37, 63, 43, fill=bright)
    for step in range(5):
        x, y = 22 + 7 * step, 72 - 6.6 * step
        pen.oval(x - 3, y - 3, x + 4, y + 4, LIGHT)


def _guzheng(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.line(14, 74, 10, 99, fill=dark, width=4)
    pen.line(66, 74, 70, 99, fill=dark, width=4)
    pen.shape(1, 64, 79, 56, 79, 76, 1, 84, fill=base)
    for y in range(4):
        pen.line(3, 67 + 4 * y, 77, 59 + 4 * y, fill=LIGHT, width=1)
    for x in (20, 36, 52):
        pen.shape(x, 80, x + 6, 60, x + 10, 79, fill=bright)


def _piano(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.box(12, 28, 68, 97, base)
    pen.box(17, 33, 63, 52, dark)
    pen.box(4, 62, 76, 78, LIGHT)
    for x in range(10, 74, 9):
        pen.box(x, 62, x + 4, 71, DARK)
    pen.box(8, 78, 14, 97, dark)
    pen.box(66, 78, 72, 97, dark)
    pen.box(9, 24, 71, 30, bright)


def _trumpet(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.shape(2, 34, 24, 51, 24, 61, 2, 78, fill=base)
    pen.oval(0, 34, 8, 78, bright)
    pen.box(22, 52, 76, 60, base)
    pen.line(34, 58, 34, 76, 62, 76, 62, 58, fill=dark, width=6)
    pen.line(34, 58, 34, 76, 62, 76, 62, 58, fill=base, width=4)
    for x in (38, 46, 54):
        pen.box(x, 42, x + 5, 70, bright)
    pen.box(73, 50, 79, 62, dark)


def _ukulele(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.shape(46, 52, 70, 8, 77, 12, 53, 56, fill=dark)
    pen.shape(66, 8, 72, 0, 80, 5, 75, 14, fill=dark)
    pen.oval(4, 58, 44, 98, base)
    pen.oval(26, 42, 60, 74, base)
    pen.oval(22, 60, 40, 78, DARK)
    pen.line(18, 84, 70, 10, fill=LIGHT, width=1.5)
    pen.line(10, 80, 24, 90, fill=bright, width=4)


def _violin(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.shape(36, 56, 10, 14, 16, 10, 42, 52, fill=dark)
    pen.oval(6, 6, 16, 16, dark)
    pen.oval(28, 40, 58, 68, base)
    pen.oval(40, 60, 76, 96, base)
    pen.oval(36, 52, 64, 80, base)
    pen.line(14, 12, 62, 86, fill=LIGHT, width=1.5)
    pen.oval(60, 80, 74, 94, DARK)
    pen.line(42, 74, 58, 64, fill=bright, width=4)


def _xylophone(pen: _Pen, base: Colour, dark: Colour, bright: Colour) -> None:
    pen.line(10, 66, 10, 99, fill=DARK, width=4)
    pen.line(70, 66, 70, 99, fill=DARK, width=4)
    pen.shape(2, 48, 78, 58, 78, 66, 2, 88, fill=dark)
    for i in range(7):
        x = 3 + i * 11
        pen.box(x, 42 + 2.2 * i, x + 8, 92 - 2.6 * i, bright if i % 2 else base)


DRAWINGS: dict[str, Callable[[_Pen, Colour, Colour, Colour], None]] = {
    "accordion": _accordion,
    "cello": _cello,
    "drum": _drum,
    "flute": _flute,
    "guzheng": _guzheng,
    "piano": _piano,
    "trumpet": _trumpet,
    "ukulele": _ukulele,
    "violin": _violin,
    "xylophone": _xylophone,
}
