"""Built-in clips in which each second shows a thing and says a word, with questions in MUSIC-AVQA's layout.

The files are those of ``music_avqa.py``. Splits are drawn independently, from the same ranges: here it is asked whether
moments are found, not whether new looks and voices are understood.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.moment_clips import Moments, draw_moments
from lstta_world.moment_questions import Asker, MomentQuestion
from lstta_world.music_avqa import Row, question_id, row, video_id
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.shown import Shown
from lstta_world.splits import SPLITS, Split, scene_rng
from lstta_world.spoken_words import need_synthesiser
from lstta_world.whole_files import json_bytes

EDITION = 1
Planned = list[tuple[Moments, list[MomentQuestion]]]


def plan(split: Split, clips: int, seed: int) -> Planned:
    """The clips of a split and what is asked about each, without rendering anything."""
    asker = Asker(np.random.default_rng([seed, SPLITS.index(split), 0, 1]))  # unlike that of any clip
    return [(clip, asker.ask(clip)) for clip in (draw_moments(scene_rng(seed, split, i)) for i in range(clips))]


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds with eight questions each.

    Raises:
        ValueError: the speech synthesiser is not installed.
    """
    need_synthesiser()
    return contents_of({split: plan(split, count, seed) for split, count in counts.items()})


def contents_of(plans: Mapping[Split, Planned]) -> Contents:
    """The folder's files, of what is planned for each split."""
    rows: dict[Split, list[Row]] = {}
    films: dict[str, Shown] = {}
    relevant: dict[Split, dict[str, RelevantSample]] = {}
    for split, clips in plans.items():
        rows[split], relevant[split] = [], {}
        for index, (clip, questions) in enumerate(clips):
            films[f"videos/{video_id(split, index)}.mp4"] = clip
            for n, asked in enumerate(questions):
                rows[split].append(row(split, index, n, asked.type, asked.text, asked.values, asked.answer))
                sample = RelevantSample(asked.relevant, "/".join(asked.type))
                relevant[split][str(question_id(split, index, n))] = sample
    return Contents(
        samples={split: len(of_split) for split, of_split in rows.items()},
        annotations={f"json/avqa-{split}.json": json_bytes(of_split) for split, of_split in rows.items()},
        films=films,
        relevant=relevant,
    )


DATA_SET = DataSet({"dataset": "moments", "edition": EDITION}, contents)
