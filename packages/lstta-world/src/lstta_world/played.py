"""Moments whose seconds play an instrument instead of saying a word: no speech synthesiser, and the tiny encoders know
all of it. Looks and timbres are those of train in the other data sets of musicians."""

from __future__ import annotations

import numpy as np

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.moment_clips import draw_played_moments
from lstta_world.moment_questions import PLAYED, Asker
from lstta_world.moments import Planned, contents_of
from lstta_world.splits import SPLITS, Split, scene_rng

EDITION = 1


def plan(split: Split, clips: int, seed: int) -> Planned:
    """The clips of a split and what is asked about each, without rendering anything."""
    asker = Asker(np.random.default_rng([seed, SPLITS.index(split), 0, 1]), PLAYED)  # unlike that of any clip
    drawn = (draw_played_moments(scene_rng(seed, split, i)) for i in range(clips))
    return [(clip, asker.ask(clip)) for clip in drawn]


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds with five questions each."""
    return contents_of({split: plan(split, count, seed) for split, count in counts.items()})


DATA_SET = DataSet({"dataset": "played", "edition": EDITION}, contents)
