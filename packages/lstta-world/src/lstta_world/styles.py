"""How scenes look and sound in each split: the ranges that they are drawn from. Our choice throughout.

The looks and timbres of test lie outside the ranges of train and val.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from numpy.random import Generator

from lstta_world.scene import Place
from lstta_world.splits import Split

Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Style:
    """The ranges that the looks and the sound of a split are drawn from; several ranges: one of them at random."""

    indoor: tuple[str, ...]
    outdoor: tuple[str, ...]
    size: Ranges
    hue: Ranges
    lightness: Ranges
    tint: Ranges
    slope: Ranges
    attack: Ranges
    decay: Ranges
    vibrato: Ranges
    noise: Ranges
    cents: Ranges
    hiss: Ranges


SEEN = Style(
    indoor=("room", "studio", "hall"),
    outdoor=("meadow", "park", "street"),
    size=((0.86, 1.04),),
    hue=((-9, 9),),
    lightness=((0.85, 1.08),),
    tint=((0.93, 1.0),),
    slope=((-0.15, 0.15),),
    attack=((0.75, 1.3),),
    decay=((0.75, 1.3),),
    vibrato=((0.7, 1.3),),
    noise=((0.7, 1.4),),
    cents=((-15, 15),),
    hiss=((0.0005, 0.002),),
)
UNSEEN = Style(
    indoor=("stage", "library"),
    outdoor=("beach", "mountain"),
    size=((0.72, 0.84), (1.06, 1.14)),
    hue=((-15, -10), (10, 15)),
    lightness=((0.74, 0.83), (1.1, 1.2)),
    tint=((0.82, 0.92),),
    slope=((-0.35, -0.18), (0.18, 0.35)),
    attack=((0.5, 0.7), (1.4, 1.9)),
    decay=((0.5, 0.7), (1.4, 1.9)),
    vibrato=((0.4, 0.65), (1.4, 1.8)),
    noise=((0.4, 0.65), (1.5, 2.0)),
    cents=((-45, -20), (20, 45)),
    hiss=((0.0025, 0.005),),
)
STYLES: dict[Split, Style] = {"train": SEEN, "val": SEEN, "test": UNSEEN}


def draw(rng: Generator, ranges: Ranges) -> float:
    """A number from one of the ranges."""
    low, high = ranges[rng.integers(len(ranges))]
    return float(rng.uniform(low, high))


class Surroundings(TypedDict):
    """What a scene has beside its place and whoever is there; see :class:`~lstta_world.scene.Scene`."""

    backdrop: str
    seed: int
    tint: tuple[float, float, float]
    hiss: float


def draw_surroundings(rng: Generator, style: Style, place: Place) -> Surroundings:
    """A backdrop of this place, a tint and a hiss of the style."""
    return Surroundings(
        backdrop=str(rng.choice(style.indoor if place == "indoor" else style.outdoor)),
        seed=int(rng.integers(2**31)),
        tint=(draw(rng, style.tint), draw(rng, style.tint), draw(rng, style.tint)),
        hiss=draw(rng, style.hiss),
    )
