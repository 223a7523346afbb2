"""Built-in clips with subtitles and statements, in VIOLIN's own layout.

- ``violin_annotation.json``: clip id → ``file`` (the video's name without its extension), ``source``, ``span``
  ([start, end] in seconds within the source), ``statement`` ([[real, fake] × 3]), ``sub`` ([[text, [start, end]], …] in
  milliseconds from the clip's start) and ``split`` (``train``, ``validate`` or ``test``, as the data set's own code has
  them);
- ``videos/<file>.mp4``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.film import Film
from lstta_world.relevance import relevant_in_shot
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.splits import SPLITS, Split, scene_rng
from lstta_world.statements import Fact, sample_facts
from lstta_world.stories import sample_story
from lstta_world.whole_files import json_bytes

EDITION = 2
PAIRS = 3
SPLIT_NAMES: dict[Split, str] = {"train": "train", "val": "validate", "test": "test"}


@dataclass(frozen=True)
class StatedClip:
    """A story, and the facts that pairs of a true and a false statement are about."""

    story: Film
    facts: tuple[Fact, ...]


def plan(split: Split, clips: int, seed: int) -> list[StatedClip]:
    """The stories of a split and what is stated about each, without rendering anything."""
    planned = []
    for index in range(clips):
        story = sample_story(scene_rng(seed, split, index), split)
        facts = sample_facts(np.random.default_rng([seed, SPLITS.index(split), index, PAIRS]), story, PAIRS)
        planned.append(StatedClip(story, tuple(facts)))
    return planned


def texts(split: Split, clips: int, seed: int) -> list[str]:
    """All statements and all subtitle lines of a split."""
    result = []
    for clip in plan(split, clips, seed):
        result += [talk.line for talk in clip.story.shots]
        result += [statement for fact in clip.facts for statement in fact.statements]
    return result


def clip_id(split: Split, index: int) -> str:
    """``story_<split>_<index>``."""
    return f"story_{split}_{index:06d}"


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds, three true and three false statements each, about one of the two who speak."""
    planned = {
        split: {clip_id(split, index): clip for index, clip in enumerate(plan(split, count, seed))}
        for split, count in counts.items()
    }
    entries = {
        name: _entry(name, SPLIT_NAMES[split], clip) for split, clips in planned.items() for name, clip in clips.items()
    }
    return Contents(
        samples={split: 2 * PAIRS * count for split, count in counts.items()},
        annotations={"violin_annotation.json": json_bytes(entries)},
        films={f"videos/{name}.mp4": clip.story for clips in planned.values() for name, clip in clips.items()},
        relevant={split: _relevant(clips) for split, clips in planned.items()},
    )


DATA_SET = DataSet({"dataset": "violin", "edition": EDITION}, contents)


def _relevant(clips: Mapping[str, StatedClip]) -> dict[str, RelevantSample]:
    return {
        f"{name}/{pair}/{kind}": RelevantSample(relevant_in_shot(clip.story, fact.shot))
        for name, clip in clips.items()
        for pair, fact in enumerate(clip.facts)
        for kind in ("real", "fake")
    }


def _entry(name: str, split: str, clip: StatedClip) -> dict[str, object]:
    return {
        "file": name,
        "source": "story",
        "span": [0.0, clip.story.duration],
        "statement": [list(fact.statements) for fact in clip.facts],
        "sub": [
            [talk.line, [round(1000 * time) for time in clip.story.spoken(shot)]]
            for shot, talk in enumerate(clip.story.shots)
        ],
        "split": split,
    }
