"""The relevant seconds of a generated data set, drawn again from the arguments that its folder records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstta_world import avqa, emotion, sentiment
from lstta_world.dataset import COMPLETE, GENERATOR_VERSION
from lstta_world.relevance import Relevant, relevant_in_talk, relevant_to
from lstta_world.scene import Split


@dataclass(frozen=True)
class Known:
    """What a sample rests on, and its type of question, or "" where there are no types."""

    relevant: Relevant
    type: str


def relevant_samples(root: Path, split: Split) -> dict[str, Known]:
    """What each sample of a split rests on, by the sample's id in its task; empty where that is not known.

    Known it is for the built-in clips of ``avqa``, ``sentiment`` and ``emotion``.

    Raises:
        ValueError: another version of the generator made the folder.
    """
    file = root / COMPLETE
    if not file.is_file():
        return {}
    arguments: Mapping[str, Any] = json.loads(file.read_text())["arguments"]
    if arguments["dataset"] not in KNOWN:
        return {}
    if arguments["generator_version"] != GENERATOR_VERSION:
        raise ValueError(
            f"{file}: generator_version is {arguments['generator_version']}, this one is {GENERATOR_VERSION} and would "
            "draw other clips: generate the data set again"
        )
    return dict(KNOWN[arguments["dataset"]](split, arguments[split], arguments["seed"]))


def _avqa(split: Split, clips: int, seed: int) -> Iterator[tuple[str, Known]]:
    for index, (scene, questions) in enumerate(avqa.plan(split, clips, seed)):
        for number, question in enumerate(questions):
            known = Known(relevant_to(scene, question), "/".join(question.template.type))
            yield str(avqa.question_id(split, index, number)), known


def _sentiment(split: Split, clips: int, seed: int) -> Iterator[tuple[str, Known]]:
    for index, talk in enumerate(sentiment.plan(split, clips, seed)):
        video, clip = sentiment.video_id(split, index), index % sentiment.CLIPS_PER_VIDEO
        yield f"{video}/{clip}", Known(relevant_in_talk(talk), "")


def _emotion(split: Split, clips: int, seed: int) -> Iterator[tuple[str, Known]]:
    for utterance in emotion.plan(split, clips, seed):
        yield emotion.clip_name(utterance), Known(relevant_in_talk(utterance.talk), "")


KNOWN: dict[str, Callable[[Split, int, int], Iterator[tuple[str, Known]]]] = {
    "avqa": _avqa,
    "sentiment": _sentiment,
    "emotion": _emotion,
}
