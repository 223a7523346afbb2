"""The pictures of a talker: shoulders and a swaying head before a backdrop; the mouth opens with each syllable."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lstta_world import talk_truth
from lstta_world.backdrops import HEIGHT as PICTURE_HEIGHT
from lstta_world.backdrops import WIDTH as PICTURE_WIDTH
from lstta_world.backdrops import backdrop
from lstta_world.faces import HEIGHT, WIDTH, head, rgb
from lstta_world.render import tinted
from lstta_world.talk import Expression, Talk

MIDDLE = (120, 70)  # of the head
SWAY = 3  # pixels
OPENINGS = 3.1  # of a mouth that moves, a second; frames 1/4 and 1/2 s apart show different ones
LEVELS = 3  # how far a mouth is open, in steps


class TalkRenderer:
    """Draws the frames of one talker: backdrop and poses are drawn once, a frame only pastes them."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        person = talk.person
        self._backdrop = backdrop(person.place, person.backdrop, talk.seed)
        x, y = MIDDLE[0] + person.face.shift[0], MIDDLE[1] + person.face.shift[1]
        self._middle = (x, y)
        self._phase = talk.seed % 100 / 100
        shirt = rgb(*person.face.shirt)
        draw = ImageDraw.Draw(self._backdrop)
        draw.rectangle((x - 16, y + 40, x + 16, PICTURE_HEIGHT), rgb(*person.face.skin[:2], person.face.skin[2] * 0.85))
        draw.polygon((x - 78, PICTURE_HEIGHT, x - 56, y + 60, x + 56, y + 60, x + 78, PICTURE_HEIGHT), shirt)
        self._backdrop = tinted(self._backdrop, person.tint)
        self._heads: dict[tuple[Expression, int], Image.Image] = {}

    def frame(self, seconds: float) -> NDArray[np.uint8]:
        """The picture at ``seconds``: (144, 240, 3) uint8, RGB."""
        level = 0
        if talk_truth.mouth_moves(self._talk, seconds):
            level = round(LEVELS * abs(math.sin(math.pi * (OPENINGS * seconds + self._phase))))
        sway = 2 * math.pi * (0.35 * seconds + self._phase)
        picture = self._head(talk_truth.expression_at(self._talk, seconds), level)
        place = (
            self._middle[0] - WIDTH // 2 + round(SWAY * math.sin(sway)),
            self._middle[1] - HEIGHT // 2 + round(SWAY * math.sin(1.7 * sway) / 2),
        )
        image = self._backdrop.copy()
        image.paste(picture, place, picture)
        assert image.size == (PICTURE_WIDTH, PICTURE_HEIGHT)
        return np.asarray(image)

    def _head(self, expression: Expression, level: int) -> Image.Image:
        key = (expression, level)
        if key not in self._heads:
            person = self._talk.person
            self._heads[key] = tinted(head(person.face, expression, level / LEVELS), person.tint)
        return self._heads[key]
