"""Built-in clips with subtitles and statements, in VIOLIN's own layout.

- ``violin_annotation.json``: clip id → ``file`` (the video's name without its extension), ``source``, ``span``
  ([start, end] in seconds within the source), ``statement`` ([[real, fake] × 3]), ``sub`` ([[text, [start, end]], …] in
  milliseconds from the clip's start) and ``split`` (``train``, ``validate`` or ``test``, as the data set's own code has
  them);
- ``videos/<file>.mp4``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstta_world.dataset import Folder, Report, write_films, write_json
from lstta_world.film import Film
from lstta_world.scene import SPLITS, Split, scene_rng
from lstta_world.statements import Fact, sample_facts
from lstta_world.stories import sample_story

EDITION = 2
PAIRS = 3
SPLIT_NAMES: dict[Split, str] = {"train": "train", "val": "validate", "test": "test"}


@dataclass(frozen=True)
class StatedClip:
    """A story, and the facts that pairs of a true and a false statement are about."""

    story: Film
    facts: tuple[Fact, ...]


def generate_violin(
    root: Path, *, train: int = 2000, val: int = 200, test: int = 300, seed: int = 0, workers: int = 2
) -> Report:
    """Write ``train`` + ``val`` + ``test`` clips of eight seconds, three true and three false statements each.

    A second run with the same arguments does nothing; one that was interrupted goes on where it was.

    Raises:
        ValueError: ``root`` holds something that was not generated with these arguments.
    """
    root = Path(root)
    counts: dict[Split, int] = {"train": train, "val": val, "test": test}
    folder = Folder(
        root, {"dataset": "violin", "edition": EDITION, "train": train, "val": val, "test": test, "seed": seed}
    )
    earlier = folder.begin()
    if earlier is not None:
        return earlier
    (root / "videos").mkdir(exist_ok=True)
    planned = [
        (clip_id(split, index), SPLIT_NAMES[split], clip)
        for split, count in counts.items()
        for index, clip in enumerate(plan(split, count, seed))
    ]
    write_json(root / "violin_annotation.json", {name: _entry(name, split, clip) for name, split, clip in planned})
    clips = [(root / "videos" / f"{name}.mp4", clip.story) for name, _, clip in planned]
    rendered, kept = write_films(clips, workers)
    samples = {str(split): 2 * PAIRS * count for split, count in counts.items()}
    return folder.finish({str(split): count for split, count in counts.items()}, samples, rendered, kept)


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
