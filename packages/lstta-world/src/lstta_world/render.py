"""The pictures of a scene. Performers bounce, tilt and wave a bright baton while they move, and are still otherwise."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lstta_world import truth
from lstta_world.backdrops import backdrop
from lstta_world.scene import Gesture, Note, Performer, Scene
from lstta_world.sprites import sprite

CENTRES = {"left": 43, "middle": 120, "right": 197}
FEET = 136  # y of an instrument's lower edge
BOUNCE = 7  # pixels
TILT = 7  # degrees
BATON, OUTLINE = (255, 240, 90, 255), (28, 24, 30, 255)  # an outline, so that it shows on pale walls too


def draw_frame(scene: Scene, seconds: float) -> NDArray[np.uint8]:
    """The picture at ``seconds``: (144, 240, 3) uint8, RGB. The last few scenes' sprites are kept."""
    return _renderer(scene).frame(seconds)


class SceneRenderer:
    """Draws the frames of one scene: backdrop and poses are drawn once, a frame only pastes them."""

    def __init__(self, scene: Scene) -> None:
        self._backdrop = tinted(backdrop(scene.place, scene.backdrop, scene.seed), scene.tint)
        self._actors = [
            _Actor(scene.performers[i], truth.motions(scene, i), scene) for i in truth.visible_performers(scene)
        ]

    def frame(self, seconds: float) -> NDArray[np.uint8]:
        """The picture at ``seconds``: (144, 240, 3) uint8, RGB."""
        image = self._backdrop.copy()
        for actor in self._actors:
            pose, place = actor.pose(seconds)
            image.paste(pose, place, pose)
        return np.asarray(image)


_renderer = lru_cache(maxsize=4)(SceneRenderer)


class _Actor:
    """One visible performer: its poses, and when it takes which."""

    def __init__(self, performer: Performer, motions: list[Note | Gesture], scene: Scene) -> None:
        assert performer.position is not None
        picture = sprite(performer.instrument, performer.hue, performer.lightness, performer.size)
        if performer.mirrored:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        self._poses = [tinted(_pose(picture, side), scene.tint) for side in (0, -1, 1)]
        self._centre = CENTRES[performer.position] + performer.shift[0]
        self._feet = FEET + performer.shift[1]
        self._motions = motions
        self._onsets = np.array([motion.onset for motion in motions])
        self._spans = truth.phrases(motions)

    def pose(self, seconds: float) -> tuple[Image.Image, tuple[int, int]]:
        """The picture and where its upper left corner goes."""
        side, lift = 0, 0
        if any(start <= seconds < end for start, end in self._spans):
            beat = int(np.searchsorted(self._onsets, seconds, side="right")) - 1
            side = 1 + beat % 2
            done = (seconds - self._motions[beat].onset) / self._motions[beat].duration
            lift = round(BOUNCE * math.sin(math.pi * min(done, 1)))
        picture = self._poses[side]
        return picture, (self._centre - picture.width // 2, self._feet - picture.height - lift)


def _pose(picture: Image.Image, side: int) -> Image.Image:
    """The instrument as it stands (side 0), or tilted to a side with the baton up there."""
    if side:
        picture = picture.rotate(-side * TILT, Image.Resampling.BILINEAR, center=(picture.width / 2, picture.height))
    pose = Image.new("RGBA", (picture.width + 16, picture.height))
    pose.paste(picture, (8, 0))
    if side:
        draw = ImageDraw.Draw(pose)
        middle, reach = pose.width / 2, side * (pose.width / 2 - 6)
        for colour, width in ((OUTLINE, 9), (BATON, 6)):
            draw.line((middle + reach * 0.3, pose.height * 0.42, middle + reach, 5), colour, width)
            draw.arc((4, 4, pose.width - 5, pose.height), *((285, 330) if side > 0 else (210, 255)), colour, width)
    return pose


def tinted(image: Image.Image, tint: tuple[float, float, float]) -> Image.Image:
    """An RGB or RGBA picture with factors on red, green and blue."""
    factors = np.array([*tint, 1.0][: len(image.getbands())])
    return image.point(np.rint(factors[:, None] * np.arange(256)).astype(int).ravel().tolist())
