"""The pictures of a face: one head in one expression, the mouth more or less open."""

from __future__ import annotations

import colorsys

from PIL import Image, ImageDraw

from lstta_world.talk import Expression, Face

WIDTH, HEIGHT = 150, 150  # of the canvas; the middle of the head is in its middle
HALF_WIDTH, HALF_HEIGHT = 46, 58  # of a head of size and shape 1
OVERSAMPLE = 2
Colour = tuple[int, int, int]
DARK: Colour = (34, 26, 28)
WHITE: Colour = (250, 248, 244)
INSIDE: Colour = (96, 16, 26)
LIPS: Colour = (176, 44, 58)

# How far the corners of the mouth go up, the brows go up, and the inner ends of the brows go down: −1 … 1.
# Then whether the eyes are wide.
FEATURES: dict[Expression, tuple[float, float, float, bool]] = {
    "blank": (0.0, 0.0, 0.0, False),
    "smile": (1.0, 0.1, 0.0, False),
    "frown": (-1.0, -0.5, 1.0, False),
    "wide": (0.0, 1.0, -0.3, True),
}


def head(face: Face, expression: Expression, openness: float) -> Image.Image:
    """An RGBA picture of 150 × 150: the head with ``expression`` and the mouth open by 0 … 1."""
    canvas = Image.new("RGBA", (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE))
    pen = _Pen(ImageDraw.Draw(canvas), face)
    _hair_behind(pen, face)
    pen.oval(-1, -1, 1, 1, rgb(*face.skin))
    _hair_in_front(pen, face)
    corners, brows, inner, wide = (
        value * face.strength if isinstance(value, float) else value for value in FEATURES[expression]
    )
    _eyes(pen, brows, inner, bool(wide))
    _mouth(pen, corners, max(openness, 0.3 if wide else 0.0))
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def rgb(hue: float, saturation: float, value: float) -> Colour:
    """A colour from degrees and shares."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


class _Pen:
    """Draws in shares of the head's half width and half height, (0, 0) being its middle."""

    def __init__(self, draw: ImageDraw.ImageDraw, face: Face) -> None:
        self._draw = draw
        self._x = HALF_WIDTH * face.size * face.shape * OVERSAMPLE
        self._y = HALF_HEIGHT * face.size * OVERSAMPLE
        self._thick = face.size * OVERSAMPLE

    def _pixels(self, *values: float) -> list[float]:
        middle = (WIDTH / 2 * OVERSAMPLE, HEIGHT / 2 * OVERSAMPLE)
        scale = (self._x, self._y)
        return [middle[i % 2] + value * scale[i % 2] for i, value in enumerate(values)]

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self._draw.ellipse(self._pixels(x0, y0, x1, y1), fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self._draw.rectangle(self._pixels(x0, y0, x1, y1), fill)

    def slice(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, start: float, end: float) -> None:
        self._draw.chord(self._pixels(x0, y0, x1, y1), start, end, fill)

    def shape(self, *points: float, fill: Colour) -> None:
        self._draw.polygon(self._pixels(*points), fill)

    def line(self, *points: float, fill: Colour, width: float) -> None:
        self._draw.line(self._pixels(*points), fill, round(width * self._thick), joint="curve")


def _hair_behind(pen: _Pen, face: Face) -> None:
    colour = rgb(28, 0.5, face.hair_value)
    if face.hair == "long":
        pen.oval(-1.22, -1.15, 1.22, 0.9, colour)
        pen.box(-1.22, -0.1, 1.22, 1.05, colour)
    elif face.hair == "short":
        pen.oval(-1.08, -1.14, 1.08, 0.3, colour)
    elif face.hair == "curly":
        for x, y in ((-1.0, -0.3), (-0.9, -0.7), (-0.5, -1.0), (0.0, -1.08), (0.5, -1.0), (0.9, -0.7), (1.0, -0.3)):
            pen.oval(x - 0.34, y - 0.26, x + 0.34, y + 0.26, colour)


def _hair_in_front(pen: _Pen, face: Face) -> None:
    colour = rgb(28, 0.5, face.hair_value)
    if face.hair in ("short", "long"):
        pen.slice(-1.02, -1.02, 1.02, 0.6, colour, 205, 335)
    elif face.hair == "hat":
        hat = rgb(face.shirt[0] + 180, 0.5, face.hair_value)
        pen.slice(-1.05, -1.2, 1.05, 0.5, hat, 200, 340)
        pen.box(-1.3, -0.74, 1.3, -0.62, hat)


def _eyes(pen: _Pen, brows: float, inner: float, wide: bool) -> None:
    half = 0.2 if wide else 0.12
    for side in (-1, 1):
        x = side * 0.42
        pen.oval(x - 0.22, -0.12 - half, x + 0.22, -0.12 + half, WHITE)
        pen.oval(x - 0.09, -0.12 - min(half, 0.11), x + 0.09, -0.12 + min(half, 0.11), DARK)
        y = -0.4 - 0.16 * brows
        pen.line(x - side * 0.24, y + 0.17 * inner, x + side * 0.26, y - 0.04 * inner, fill=DARK, width=7)


def _mouth(pen: _Pen, corners: float, openness: float) -> None:
    """A band between two parabolas through the corners; ``corners`` lifts these (smile) or drops them (frown)."""
    xs = [k / 6 for k in range(-6, 7)]
    base = [(0.5 * x, 0.5 - 0.26 * corners * (x * x - 0.5)) for x in xs]
    upper = [(x, y - 0.09 * openness * (1 - 4 * x * x)) for x, y in base]
    lower = [(x, y + 0.3 * openness * (1 - 4 * x * x)) for x, y in base]
    outline = [value for point in (*upper, *reversed(lower)) for value in point]
    pen.shape(*outline, fill=INSIDE)
    for lip in (upper, lower):
        pen.line(*(value for point in lip for value in point), fill=LIPS, width=6)
