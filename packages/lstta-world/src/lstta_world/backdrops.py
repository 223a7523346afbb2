"""The places: pale pictures behind the performers, paler than any instrument. Details vary with a scene's seed.

Indoors there is a ceiling with a lamp over a wall, outdoors sky with clouds: that is what tells unseen places apart.
"""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw

from lstta_world.scene import Place

WIDTH, HEIGHT = 240, 144
FLOOR = 104  # y at which the floor begins
Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw

# name: (wall, floor), and for places outdoors (sky at the top, ground).
INDOOR: dict[str, tuple[Colour, Colour]] = {
    "room": ((214, 204, 184), (160, 134, 110)),
    "studio": ((176, 178, 184), (120, 120, 126)),
    "hall": ((222, 214, 208), (172, 160, 148)),
    "stage": ((150, 112, 112), (138, 116, 92)),
    "library": ((186, 170, 146), (128, 108, 92)),
}
OUTDOOR: dict[str, tuple[Colour, Colour]] = {
    "meadow": ((132, 182, 224), (142, 168, 112)),
    "park": ((150, 196, 226), (162, 176, 128)),
    "street": ((140, 176, 208), (150, 150, 152)),
    "beach": ((120, 186, 216), (218, 204, 164)),
    "mountain": ((158, 190, 232), (212, 218, 226)),
}


def backdrop(place: Place, name: str, seed: int) -> Image.Image:
    """The empty place: an RGB picture of 240 × 144. ``name`` is one of those indoors or outdoors, as ``place`` says."""
    random = Random(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    if place == "indoor":
        _indoor(draw, name, random)
    else:
        _outdoor(draw, name, random)
    return image


def _jitter(random: Random, colour: Colour, by: int = 10) -> Colour:
    change = random.randint(-by, by)
    red, green, blue = (min(255, max(0, value + change)) for value in colour)
    return red, green, blue


def _indoor(draw: Draw, name: str, random: Random) -> None:
    wall, floor = (_jitter(random, colour) for colour in INDOOR[name])
    draw.rectangle((0, 0, WIDTH, FLOOR), wall)
    draw.rectangle((0, 0, WIDTH, 10), _jitter(random, (236, 232, 226)))
    draw.rectangle((0, FLOOR, WIDTH, HEIGHT), floor)
    x = random.randint(20, 190)
    if name == "room":
        draw.rectangle((x, 26, x + 34, 66), (206, 222, 232), (150, 132, 112), 3)
    elif name == "studio":
        for column in range(0, WIDTH, 24):
            draw.line((column, 10, column, FLOOR), (158, 160, 168), 2)
    elif name == "hall":
        for column in range(random.randint(0, 30), WIDTH, 56):
            draw.rectangle((column, 10, column + 12, FLOOR), (206, 196, 188))
    elif name == "stage":
        for column in range(0, WIDTH, 14):
            draw.rectangle((column, 10, column + 6, FLOOR), (134, 96, 98))
    elif name == "library":
        for shelf in range(22, FLOOR, 20):
            draw.rectangle((0, shelf, WIDTH, shelf + 3), (146, 128, 106))
    lamp = random.randint(40, 200)
    draw.line((lamp, 10, lamp, 18), (90, 84, 78), 2)
    draw.polygon((lamp - 12, 26, lamp - 5, 17, lamp + 5, 17, lamp + 12, 26), (250, 244, 206))


def _outdoor(draw: Draw, name: str, random: Random) -> None:
    sky, ground = (_jitter(random, colour) for colour in OUTDOOR[name])
    for y in range(FLOOR):
        paler = [round(value + (246 - value) * 0.6 * y / FLOOR) for value in sky]
        draw.line((0, y, WIDTH, y), (paler[0], paler[1], paler[2]))
    for _ in range(random.randint(1, 3)):
        x, y = random.randint(0, 210), random.randint(4, 24)
        draw.ellipse((x, y, x + 40, y + 12), (242, 246, 250))
    x = random.randint(20, 190)
    if name == "meadow":
        draw.ellipse((x - 120, 80, x + 120, 150), (158, 182, 132))
    elif name == "park":
        for tree in (x, (x + 90) % WIDTH):
            draw.rectangle((tree - 2, 80, tree + 2, FLOOR), (138, 118, 98))
            draw.ellipse((tree - 16, 46, tree + 16, 86), (150, 176, 136))
    elif name == "street":
        for house in range(0, WIDTH, 44):
            draw.rectangle((house, random.randint(46, 72), house + 34, FLOOR), (196, 188, 184))
    elif name == "beach":
        draw.rectangle((0, 84, WIDTH, FLOOR), (140, 180, 196))
    elif name == "mountain":
        for peak in (x, (x + 110) % WIDTH):
            draw.polygon((peak - 60, FLOOR, peak, 40, peak + 60, FLOOR), (178, 186, 200))
    draw.rectangle((0, FLOOR, WIDTH, HEIGHT), ground)
