"""Built-in clips with questions, in MUSIC-AVQA's own layout.

``<root>/videos/<video_id>.mp4`` and ``<root>/json/avqa-{train,val,test}.json``: lists of rows with ``video_id``,
``question_id``, ``type`` and ``templ_values`` (both JSON *strings*), ``question_content`` with placeholders,
``question_deleted`` and ``anser``, as in the data set.
"""

from __future__ import annotations

import json

import numpy as np

from lstta_world.balance import Balancer
from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.questions import Question, all_questions
from lstta_world.random_scenes import sample_scene
from lstta_world.relevance import relevant_to
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.scene import Scene
from lstta_world.shown import Shown
from lstta_world.splits import SPLITS, Split, scene_rng
from lstta_world.whole_files import json_bytes

QUESTIONS_PER_CLIP = 8
Row = dict[str, str | int]


def plan(split: Split, clips: int, seed: int) -> list[tuple[Scene, list[Question]]]:
    """The scenes of a split and what is asked about each, without rendering anything."""
    balancer = Balancer(np.random.default_rng([seed, SPLITS.index(split)]))
    scenes = (sample_scene(scene_rng(seed, split, index), split) for index in range(clips))
    return [(scene, balancer.choose(all_questions(scene), QUESTIONS_PER_CLIP)) for scene in scenes]


def video_id(split: Split, index: int) -> str:
    """Eight digits; the first is the split, so that a split's size changes no other split's names."""
    return f"{SPLITS.index(split) * 10_000_000 + index:08d}"


def question_id(split: Split, index: int, number: int) -> int:
    """Of question ``number`` about clip ``index``."""
    return int(video_id(split, index)) * 10 + number


def row(
    split: Split, index: int, number: int, type: tuple[str, str], text: str, values: tuple[str, ...], answer: str
) -> Row:
    """Question ``number`` about clip ``index``, as the data set has it: with the data set's own spelling."""
    return {
        "video_id": video_id(split, index),
        "question_id": question_id(split, index, number),
        "type": json.dumps(list(type)),
        "question_content": text,
        "templ_values": json.dumps(list(values)),
        "question_deleted": 0,
        "anser": answer,
    }


def question_rows(split: Split, index: int, questions: list[Question]) -> list[Row]:
    return [
        row(split, index, number, question.template.type, question.template.text, question.values, question.answer)
        for number, question in enumerate(questions)
    ]


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of eight seconds with about eight questions each."""
    rows: dict[Split, list[Row]] = {}
    films: dict[str, Shown] = {}
    relevant: dict[Split, dict[str, RelevantSample]] = {}
    for split, count in counts.items():
        planned = plan(split, count, seed)
        rows[split] = [row for i, (_, questions) in enumerate(planned) for row in question_rows(split, i, questions)]
        films |= {f"videos/{video_id(split, i)}.mp4": scene for i, (scene, _) in enumerate(planned)}
        relevant[split] = {
            str(question_id(split, i, number)): RelevantSample(
                relevant_to(scene, question), "/".join(question.template.type)
            )
            for i, (scene, questions) in enumerate(planned)
            for number, question in enumerate(questions)
        }
    return Contents(
        samples={split: len(of_split) for split, of_split in rows.items()},
        annotations={f"json/avqa-{split}.json": json_bytes(of_split) for split, of_split in rows.items()},
        films=films,
        relevant=relevant,
    )


DATA_SET = DataSet({"dataset": "avqa"}, contents)
