"""Scenes that the tests of the generator share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from lstta_world.casting import sample_person
from lstta_world.random_scenes import sample_scene
from lstta_world.scene import Gesture, Note, Performer, Position, Scene, Syllable, Timbre
from lstta_world.splits import scene_rng
from lstta_world.talk import Chew, Look, Talk, Tone, Word

PLAIN = Timbre(slope=0.0, attack=1.0, decay=1.0, vibrato=1.0, noise=1.0)


def performer(instrument: str, position: Position | None) -> Performer:
    return Performer(instrument, position, 1.0, 0.0, 1.0, (0, 0), False, PLAIN)


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """Random scenes of train and test."""
    return [sample_scene(scene_rng(3, split, index), split) for split in ("train", "test") for index in range(131)]


@pytest.fixture
def duet() -> Scene:
    """A scene made by hand.

    A violin (left) plays from 1 to 3 s, loud; a piano (right) from 5 to 7 s, soft, and mimes from 2 to 3 s; an unseen
    flute from 5.5 to 6 s; a drum in the middle does nothing; a voice speaks from 0 to 0.5 s.
    """
    violin = [Note(0, 1 + k / 2, 0.45, 440.0, 0.8) for k in range(4)]
    piano = [Note(1, 5 + k, 0.9, 220.0, 0.2) for k in range(2)]
    return Scene(
        split="train",
        place="indoor",
        backdrop="room",
        seed=7,
        tint=(1.0, 1.0, 1.0),
        hiss=0.0005,
        duration=8.0,
        performers=(
            performer("violin", "left"),
            performer("piano", "right"),
            performer("flute", None),
            performer("drum", "middle"),
        ),
        notes=(*violin, piano[0], Note(2, 5.5, 0.5, 880.0, 0.5), piano[1]),
        gestures=(Gesture(1, 2.0, 0.5), Gesture(1, 2.5, 0.5)),
        voice=(Syllable(0.0, 0.25, 120.0, 1.0, 0), Syllable(0.25, 0.25, 130.0, 1.0, 2)),
    )


@pytest.fixture
def talk() -> Talk:
    """A clip made by hand: 'The film was good' from 1.0 to 2.2 s, smiling from 0.9 to 2.3 s.

    A frown before, wide eyes after. The mouth chews from 2.6 to 3.4 s. The tone is rising, wide and loud.
    """
    return Talk(
        person=sample_person(scene_rng(0, "train", 0), "train"),
        seed=7,
        duration=4.0,
        line="The film was good.",
        words=(Word("The", 1.0, 0.3), Word("film", 1.3, 0.3), Word("was", 1.6, 0.3), Word("good", 1.9, 0.3)),
        tone=Tone("rising", wide=True, loud=True),
        looks=(Look(0.0, "frown"), Look(0.9, "smile"), Look(2.3, "wide")),
        chews=(Chew(2.6, 0.8),),
    )
