"""What an encoder hears follows the clips, where its factory asks for their lengths and the config says none."""

from __future__ import annotations

from typing import Any

import pytest
from seeded_encoders import audio
from small_world import World

from lstta_core.interfaces import Modality
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.lengths import lengths_for
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import record_of

HEARD: list[tuple[int | None, float | None]] = []


def hearing(*, seed: int, segments: int | None = None, sound_seconds: float | None = None) -> Any:
    """An encoder that remembers what it was told."""
    HEARD.append((segments, sound_seconds))
    return audio(seed=seed)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [({}, (3, 0.25)), ({"segments": 7}, (7, 0.25)), ({"segments": 2, "sound_seconds": 0.5}, (2, 0.5))],
)
def test_the_clips_lengths_unless_the_config_says_others(
    world: World, more: dict[str, Any], wanted: tuple[int, float]
) -> None:
    given = {"_delete_": True, "type": hearing, "seed": 5, **more}
    experiment = Experiment(load_config(world.config, {"encoders.audio": given}))
    assert experiment.encoders[Modality.AUDIO].widths
    assert HEARD[-1] == wanted
    said = record_of(experiment)["encoders"]["audio"]  # so whoever uses the adapter hears the same
    assert (said["segments"], said["sound_seconds"]) == wanted


def test_who_does_not_ask_is_not_told(world: World) -> None:
    settings = {"type": audio, "seed": 5}
    assert lengths_for("encoders.audio", settings, {"segments": 3, "sound_seconds": 0.25}) == {}


def test_the_pretrained_family_asks() -> None:
    told = lengths_for("encoders.audio", {"name": "hf-audio", "segments": 7}, {"segments": 3, "sound_seconds": 0.5})
    assert told == {"sound_seconds": 0.5}
    assert lengths_for("encoders.audio", {"name": "hf-audio", "seconds": 8.0}, {"segments": 3}) == {}
