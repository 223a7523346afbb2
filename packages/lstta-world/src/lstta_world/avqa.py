"""Built-in clips with questions, in MUSIC-AVQA's own layout.

``<root>/videos/<video_id>.mp4`` and ``<root>/json/avqa-{train,val,test}.json``: lists of rows with ``video_id``,
``question_id``, ``type`` and ``templ_values`` (both JSON *strings*), ``question_content`` with placeholders,
``question_deleted`` and ``anser``, as in the data set.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lstta_world.balance import Balancer
from lstta_world.dataset import Folder, Report, write_clips, write_json
from lstta_world.questions import Question, all_questions
from lstta_world.scene import SPLITS, Scene, Split, sample_scene, scene_rng

QUESTIONS_PER_CLIP = 8
Row = dict[str, str | int]


def generate_avqa(
    root: Path, *, train: int = 2000, val: int = 200, test: int = 300, seed: int = 0, workers: int = 2
) -> Report:
    """Write ``train`` + ``val`` + ``test`` clips of eight seconds with about eight questions each.

    A second run with the same arguments does nothing; one that was interrupted goes on where it was.

    Raises:
        ValueError: ``root`` holds something that was not generated with these arguments.
    """
    root = Path(root)
    counts: dict[Split, int] = {"train": train, "val": val, "test": test}
    folder = Folder(root, {"dataset": "avqa", "train": train, "val": val, "test": test, "seed": seed})
    earlier = folder.begin()
    if earlier is not None:
        return earlier
    (root / "videos").mkdir(exist_ok=True)
    (root / "json").mkdir(exist_ok=True)
    clips: list[tuple[Path, Scene]] = []
    samples: dict[str, int] = {}
    for split, count in counts.items():
        planned = plan(split, count, seed)
        rows = [row for index, (_, questions) in enumerate(planned) for row in question_rows(split, index, questions)]
        clips += [(root / "videos" / f"{video_id(split, i)}.mp4", scene) for i, (scene, _) in enumerate(planned)]
        samples[split] = len(rows)
        write_json(root / "json" / f"avqa-{split}.json", rows)
    rendered, kept = write_clips(clips, workers)
    return folder.finish({str(split): count for split, count in counts.items()}, samples, rendered, kept)


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


def question_rows(split: Split, index: int, questions: list[Question]) -> list[Row]:
    video = video_id(split, index)
    return [
        {
            "video_id": video,
            "question_id": question_id(split, index, number),
            "type": json.dumps(list(question.template.type)),
            "question_content": question.template.text,
            "templ_values": json.dumps(list(question.values)),
            "question_deleted": 0,
            "anser": question.answer,
        }
        for number, question in enumerate(questions)
    ]
