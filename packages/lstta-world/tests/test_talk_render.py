from __future__ import annotations

import dataclasses
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lstta_world.casting import sample_person
from lstta_world.faces import head
from lstta_world.film import Film
from lstta_world.film_files import write_film
from lstta_world.splits import scene_rng
from lstta_world.talk import EXPRESSIONS, Look, Talk
from lstta_world.talk_render import LEVELS, TalkRenderer


def mouth(talk: Talk, seconds: float) -> NDArray[np.int64]:
    """The lower half of the head at a time."""
    x, y = 120 + talk.person.face.shift[0], 70 + talk.person.face.shift[1]
    return TalkRenderer(talk).frame(seconds)[y + 12 : y + 56, x - 32 : x + 32].astype(int)


def dark_red(part: NDArray[np.int64]) -> int:
    red, green, blue = np.moveaxis(part, -1, 0)
    return int(((red < 110) & (red > 1.8 * green) & (green < 40) & (blue < 50)).sum())


def test_the_mouth_opens_while_it_speaks_or_chews_and_only_then(talk: Talk) -> None:
    still = dataclasses.replace(talk, looks=(Look(0.0, "blank"),))
    inside = {t: dark_red(mouth(still, t)) for t in np.arange(0, 4, 1 / 8)}
    moving = {t for t in inside if 1.0 <= t < 2.2 or 2.6 <= t < 3.4}
    assert max(inside[t] for t in inside if t not in moving) < 5
    assert np.mean([inside[t] > 100 for t in moving]) > 0.7


def test_expressions_can_be_told_apart_as_small_as_the_tiny_encoder_sees_them() -> None:
    """The nearest face of another person of train, over all expressions and openings, on a plain ground."""
    people = [sample_person(scene_rng(1, "train", k), "train").face for k in range(8)]
    plain = [dataclasses.replace(face, skin=people[0].skin, hair="bald", size=1.0, shape=1.0) for face in people]
    heads = {key: small(head(plain[0], key[0], key[1] / LEVELS)) for key in product(EXPRESSIONS, range(LEVELS + 1))}
    for face in plain[1:]:
        for expression, level in heads:
            seen = small(head(face, expression, level / LEVELS))
            nearest, _ = min(heads, key=lambda key, seen=seen: float(np.abs(heads[key] - seen).mean()))  # type: ignore[misc]
            assert nearest == expression


def small(picture: Image.Image) -> NDArray[np.floating]:
    return np.asarray(picture.resize((50, 50), Image.Resampling.BOX).convert("RGBa").convert("RGB"), dtype=float)


def test_frames_and_what_differs_between_talkers(talk: Talk) -> None:
    frame = TalkRenderer(talk).frame(0.5)
    assert frame.shape == (144, 240, 3)
    assert frame.dtype == np.uint8
    np.testing.assert_array_equal(frame, TalkRenderer(talk).frame(0.5))
    other = dataclasses.replace(talk, person=sample_person(scene_rng(0, "test", 1), "test"))
    assert np.abs(frame.astype(int) - TalkRenderer(other).frame(0.5)).mean() > 10


def test_a_talk_as_a_file(talk: Talk, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, Film((talk,)))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = [(float(f.time or 0), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert [time for time, _ in frames] == pytest.approx(np.arange(32) / 8)
    for k in (0, 13, 31):
        assert np.abs(frames[k][1].astype(int) - TalkRenderer(talk).frame(k / 8)).mean() < 8
