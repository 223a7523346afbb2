from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstta_world.render import SceneRenderer, draw_frame
from lstta_world.scene import INSTRUMENTS, Scene
from lstta_world.sprites import sprite

# Neighbours' batons reach a little into the middle.
PARTS = {"left": slice(0, 80), "middle": slice(100, 140), "right": slice(160, 240)}


def change(scene: Scene, position: str, first: float, second: float) -> float:
    """The mean absolute change of a part of the picture between two times, in grey levels."""
    a, b = (draw_frame(scene, t)[:, PARTS[position]].astype(int) for t in (first, second))
    return float(np.abs(a - b).mean())


def test_a_frame(duet: Scene) -> None:
    frame = draw_frame(duet, 0.0)
    assert frame.shape == (144, 240, 3)
    assert frame.dtype == np.uint8
    np.testing.assert_array_equal(frame, SceneRenderer(duet).frame(0.0))


def test_performers_move_while_they_play_or_mime_and_only_then(duet: Scene) -> None:
    assert change(duet, "left", 0.5, 1.2) > 1  # the violin plays from 1 s
    assert change(duet, "left", 1.2, 1.7) > 1  # the next note: the other side
    assert change(duet, "left", 0.2, 4.0) == 0
    assert change(duet, "right", 1.0, 2.2) > 1  # the piano mimes from 2 s
    assert change(duet, "right", 1.0, 4.0) == 0
    assert change(duet, "right", 4.0, 5.4) > 1  # and plays from 5 s
    assert all(change(duet, "middle", 0.0, t) == 0 for t in (1.1, 2.3, 5.7, 7.9))


def test_who_moves_can_be_seen_in_one_small_frame(duet: Scene) -> None:
    def small(seconds: float) -> NDArray[np.int64]:
        return np.asarray(Image.fromarray(draw_frame(duet, seconds)).resize((80, 48)), dtype=int)

    def yellow(frame: NDArray[np.int64]) -> int:
        red, green, blue = np.moveaxis(frame[:, :27], -1, 0)
        return int(((red > 150) & (green > 140) & (blue < 0.7 * green)).sum())

    assert yellow(small(0.5)) < 5
    assert yellow(small(1.2)) > 11


def test_an_unseen_performer_is_not_drawn(duet: Scene) -> None:
    without = dataclasses.replace(duet, notes=tuple(n for n in duet.notes if n.performer != 2))
    for seconds in (5.2, 5.7):
        np.testing.assert_array_equal(draw_frame(duet, seconds), draw_frame(without, seconds))


def test_instruments_look_different() -> None:
    pictures = {
        kind: np.asarray(sprite(kind).resize((27, 33)).convert("RGBa").convert("RGB"), dtype=float)
        for kind in INSTRUMENTS
    }
    for a in INSTRUMENTS:
        jittered = np.asarray(sprite(a, hue=9, lightness=0.9).resize((27, 33)).convert("RGBa").convert("RGB"), float)
        nearest = min(INSTRUMENTS, key=lambda b: float(np.abs(pictures[b] - jittered).mean()))
        assert nearest == a


def test_size_scales_the_sprite() -> None:
    assert sprite("drum", size=0.5).size == (40, 50)


def test_splits_and_seeds_change_the_picture(duet: Scene) -> None:
    other = dataclasses.replace(duet, seed=8)
    assert np.abs(draw_frame(duet, 0).astype(int) - draw_frame(other, 0)).mean() > 0.5
    tinted = dataclasses.replace(duet, tint=(0.5, 1.0, 1.0))
    ratio = draw_frame(tinted, 0)[..., 0].mean() / draw_frame(duet, 0)[..., 0].mean()
    assert 0.48 < ratio < 0.52
