"""What captions say, read off every form of sentence that the built-in world has."""

from __future__ import annotations

import numpy as np
import pytest

from lstta_tasks.answers.caption_slots import Slots, slot_scores, slots
from lstta_world import msrvtt
from lstta_world.captions import Description, caption, describe


def wanted(description: Description) -> Slots:
    sight, sound = description.sight, description.sound
    return Slots(f"{sight.place}s", sight.seen, sound.order, sound.voice)


def test_every_built_in_caption_says_its_description() -> None:
    rng = np.random.default_rng(0)
    for clip in msrvtt.plan("train", 64, 3):
        description = describe(clip.scene)
        for _ in range(20):
            said = caption(rng, description)
            assert slots(said) == wanted(description), said


def test_the_share_that_is_exactly_right() -> None:
    right = "indoors there is a piano on the left and a drum in the middle; the piano plays before a flute"
    answers = [[f"{right}, and a voice speaks", "of other words"]] * 4
    said = [
        "a flute comes in after an unseen piano, while somebody speaks; "
        "indoors we see a drum in the middle and a piano on the left",
        "indoors there is a piano on the right and a drum in the middle; "
        "the piano plays before a flute and nobody speaks",
        "outdoors there is a piano on the left; a flute plays before a piano, and a voice speaks",
        "",
    ]
    assert slot_scores(said, answers) == {
        **{"slots/place": 0.5, "slots/seen": 0.5, "slots/where": 0.25},
        **{"slots/heard": 0.75, "slots/order": 0.5, "slots/voice": 0.5, "slots/all": 0.25},
    }


@pytest.mark.parametrize("text", ["", "a man plays the guitar", "; ; a a the", "indoors outdoors;indoors"])
def test_other_words_say_little(text: str) -> None:
    assert not slots(text).voice
