from __future__ import annotations

import re

import numpy as np
import pytest

from lstta_world import truth
from lstta_world.captions import Description, Sight, Sound, caption, describe
from lstta_world.msrvtt import plan
from lstta_world.scene import INSTRUMENTS, Scene

PLACED = re.compile(rf"an? ({'|'.join(INSTRUMENTS)}) (?:on|in) the (left|middle|right)")
HEARD = re.compile(rf"(?:the|an?|unseen) ({'|'.join(INSTRUMENTS)})(?: (?:on|in) the (left|middle|right))?")


def read(sentence: str) -> Description:
    """A reader of captions that knows no templates: the part with the place is what is seen."""
    parts = sentence.split("; ")
    seen = next(part for part in parts if "doors" in part)
    heard = next(part for part in parts if part is not seen)
    sight = Sight("indoor" if "indoors" in seen else "outdoor", tuple(PLACED.findall(seen)))
    names = []
    for kind, position in HEARD.findall(heard):
        names.append(kind)
        assert not position or (kind, position) in sight.seen
    for kind in re.findall(r"unseen (\w+)", heard):
        assert kind not in dict(sight.seen)
    if match := re.search(r"(\w+)(?: (?:on|in) the \w+)? comes in after", heard):
        names.insert(1, names.pop(names.index(match[1])))  # 'b comes in after a'
    return Description(sight, Sound(tuple(names), not re.search("nobody|without", heard)))


@pytest.mark.parametrize("split", ["train", "test"])
def test_sentences_say_what_is_so(split: str) -> None:
    for clip in plan(split, 211, 3):  # type: ignore[arg-type]
        for sentence in clip.captions:
            assert read(sentence) == describe(clip.scene), sentence
            assert len(re.findall(r"\w+|[^\w\s]", sentence)) <= 64  # what tiny-language reads
            assert not re.search(r"\b(a accordion|an (?!accordion|unseen)\w+)", sentence)


def test_a_scene_is_described(duet: Scene) -> None:
    assert describe(duet) == Description(
        Sight("indoor", (("violin", "left"), ("drum", "middle"), ("piano", "right"))),
        Sound(("violin", "piano", "flute"), voice=True),
    )
    assert truth.heard(duet) == [0, 1, 2]


def test_words_vary() -> None:
    description = Description(Sight("outdoor", (("accordion", "left"),)), Sound(("flute", "accordion"), voice=False))
    sentences = {caption(np.random.default_rng(seed), description) for seed in range(200)}
    assert len(sentences) > 50
    assert {read(sentence) for sentence in sentences} == {description}
    assert (
        "outdoors we see an accordion on the left; we hear an unseen flute and then the accordion, and nobody speaks"
        in sentences
    )
