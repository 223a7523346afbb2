"""Built-in clips with captions, in the layout of MSR-VTT and its split 1k-A.

- ``MSRVTT_data.json``: ``info``, ``videos`` (``id``, ``video_id``, ``category``, ``url``, ``start time``, ``end time``,
  ``split``) and ``sentences`` (``sen_id``, ``video_id``, ``caption``), as in the data set;
- ``MSRVTT_train.9k.csv``: column ``video_id``;
- ``MSRVTT_JSFUSION_test.csv``: columns ``key, vid_key, video_id, sentence``, one row a test video;
- ``MSRVTT_val.csv``: column ``video_id``; 1k-A has no validation split, and nobody should select on its test file. Val
  is what this file lists, and no id of it stands in the file of train. Where it is absent, as in the public data set,
  the reader holds out a part of train;
- ``videos/all/video<N>.mp4``.

Clips come in blocks of sixteen: four sights times four sounds, over four instruments. Four clips of a block look alike
and four sound alike, so that neither eyes nor ears alone find the clip of a caption. No two clips of a split have the
same description.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from lstta_world.captions import Description, Sight, Sound, caption, describe
from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.random_scenes import ENTRIES
from lstta_world.scene import INSTRUMENTS, POSITIONS, SECONDS, Scene
from lstta_world.spans import Span
from lstta_world.splits import SPLITS, Split
from lstta_world.staging import Part, draw_place, draw_positions, stage_scene
from lstta_world.whole_files import csv_bytes, json_bytes

SIDE = 4  # sights, and sounds, of a block
CAPTIONS: dict[Split, int] = {"train": 5, "val": 5, "test": 1}
MUSIC = 0  # MSR-VTT's category
SPLIT_NAMES: dict[Split, str] = {"train": "train", "val": "validate", "test": "test"}
Item = TypeVar("Item", Sight, Sound)


@dataclass(frozen=True)
class CaptionedClip:
    """A clip and the sentences about it."""

    scene: Scene
    captions: tuple[str, ...]


def plan(split: Split, clips: int, seed: int) -> list[CaptionedClip]:
    """The scenes of a split and their captions, without rendering anything."""
    planned: list[CaptionedClip] = []
    used: set[Description] = set()
    for block in itertools.count():
        if len(planned) >= clips:
            return planned[:clips]
        rng = np.random.default_rng([seed, SPLITS.index(split), block])
        for description in _block(rng, used):
            scene = _scene(rng, split, description)
            assert describe(scene) == description
            captions: dict[str, None] = {}
            while len(captions) < CAPTIONS[split]:
                captions[caption(rng, description)] = None
            planned.append(CaptionedClip(scene, tuple(captions)))
    raise AssertionError


def texts(split: Split, clips: int, seed: int) -> list[str]:
    """All sentences of a split."""
    return [sentence for clip in plan(split, clips, seed) for sentence in clip.captions]


def video_id(split: Split, index: int) -> str:
    """``video`` and a number; from another million a split, so that a split's size changes no other split's names."""
    return f"video{SPLITS.index(split) * 1_000_000 + index}"


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds with five captions each, one for those of test.

    No second is known to matter more than another: a caption tells of all of its clip.
    """
    planned = {split: plan(split, count, seed) for split, count in counts.items()}
    ids = {split: [video_id(split, index) for index in range(count)] for split, count in counts.items()}
    test = [
        (f"ret{i}", name.replace("video", "msr"), name, clip.captions[0])
        for i, (name, clip) in enumerate(zip(ids["test"], planned["test"], strict=True))
    ]
    return Contents(
        samples={split: sum(len(clip.captions) for clip in clips) for split, clips in planned.items()},
        annotations={
            "MSRVTT_data.json": json_bytes(_data(planned)),
            "MSRVTT_train.9k.csv": csv_bytes(("video_id",), [(name,) for name in ids["train"]]),
            "MSRVTT_val.csv": csv_bytes(("video_id",), [(name,) for name in ids["val"]]),
            "MSRVTT_JSFUSION_test.csv": csv_bytes(("key", "vid_key", "video_id", "sentence"), test),
        },
        films={
            f"videos/all/{name}.mp4": clip.scene
            for split in SPLITS
            for name, clip in zip(ids[split], planned[split], strict=True)
        },
        relevant={split: {} for split in SPLITS},
    )


DATA_SET = DataSet({"dataset": "msrvtt"}, contents)


def _block(rng: Generator, used: set[Description]) -> list[Description]:
    """Every sight of four with every sound of four; none that was used before."""
    while True:
        kinds = [str(kind) for kind in rng.choice(INSTRUMENTS, SIDE, replace=False)]
        sights = _different([_sight(rng, kinds) for _ in range(5 * SIDE)])
        sounds = _different([_sound(rng, kinds) for _ in range(5 * SIDE)])
        block = [Description(sight, sound) for sight in sights for sound in sounds]
        if len(block) == SIDE**2 and not used & set(block):
            used.update(block)
            return block


def _different(items: list[Item]) -> list[Item]:
    return list(dict.fromkeys(items))[:SIDE]


def _sight(rng: Generator, kinds: list[str]) -> Sight:
    count = int(rng.choice((1, 2, 3), p=(0.2, 0.4, 0.4)))
    chosen = dict(zip(draw_positions(rng, count), (kinds[i] for i in rng.permutation(SIDE)), strict=False))
    return Sight(draw_place(rng), tuple((chosen[position], position) for position in POSITIONS if position in chosen))


def _sound(rng: Generator, kinds: list[str]) -> Sound:
    count = int(rng.choice((1, 2, 3), p=(0.25, 0.45, 0.3)))
    return Sound(tuple(kinds[i] for i in rng.permutation(SIDE)[:count]), voice=bool(rng.random() < 0.5))


def _scene(rng: Generator, split: Split, description: Description) -> Scene:
    """Whoever is seen moves, heard or not: motion does not tell who plays."""
    sight, sound = description.sight, description.sound
    entries = sorted(ENTRIES[i] for i in rng.permutation(len(ENTRIES) - 1)[: len(sound.order)])
    plays = {kind: _from(rng, entry) for kind, entry in zip(sound.order, entries, strict=True)}
    parts = [
        Part(kind, position, plays=(plays[kind],))
        if kind in plays
        else Part(kind, position, mimes=(_from(rng, float(rng.choice(ENTRIES[:-1]))),))
        for kind, position in sight.seen
    ]
    seen = dict(sight.seen)
    parts += [Part(kind, None, plays=(plays[kind],)) for kind in sound.order if kind not in seen]
    start = float(rng.uniform(0, 4))
    spoken = [(start, start + float(rng.uniform(2, 4)))] if sound.voice else []
    return stage_scene(rng, split, parts, sight.place, spoken)


def _from(rng: Generator, entry: float) -> Span:
    start = entry + float(rng.uniform(0, 0.4))
    return start, float(rng.uniform(start + 2, SECONDS))


def _data(planned: dict[Split, list[CaptionedClip]]) -> dict[str, object]:
    clips = [(split, index, clip) for split in SPLITS for index, clip in enumerate(planned[split])]
    videos = [
        {
            "category": MUSIC,
            "url": "",
            "video_id": video_id(split, index),
            "start time": 0.0,
            "end time": clip.scene.duration,
            "split": SPLIT_NAMES[split],
            "id": number,
        }
        for number, (split, index, clip) in enumerate(clips)
    ]
    said = [(text, video_id(split, index)) for split, index, clip in clips for text in clip.captions]
    sentences = [{"caption": text, "video_id": video, "sen_id": number} for number, (text, video) in enumerate(said)]
    info = {
        "contributor": "LSTTA",
        "data_created": "",
        "version": "1.0",
        "description": "built-in clips in the layout of MSR-VTT",
        "year": "",
    }
    return {"info": info, "videos": videos, "sentences": sentences}
