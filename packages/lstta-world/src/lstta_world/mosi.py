"""Built-in clips with a sentiment, in the raw layout of CMU-MOSI and CMU-MOSEI as MMSA distributes them.

``<root>/label.csv`` with the columns ``video_id, clip_id, text, label, annotation, mode`` (train, valid or test) and
``<root>/Raw/<video_id>/<clip_id>.mp4``. A video is one speaker; a clip is one opinion about a film.
"""

from __future__ import annotations

from collections.abc import Iterator

from numpy.random import Generator

from lstta_world.casting import sample_person, sample_talk, sample_tone
from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.film import Film
from lstta_world.opinions import FACES, sample_line, score
from lstta_world.relevance import relevant_in_talk
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.shown import Shown
from lstta_world.splits import SPLITS, Split, scene_rng
from lstta_world.talk import CONTOURS, Person, Talk
from lstta_world.whole_files import csv_bytes

CLIPS_PER_VIDEO = 5
MODES: dict[Split, str] = {"train": "train", "val": "valid", "test": "test"}
HEADER = ("video_id", "clip_id", "text", "label", "annotation", "mode")


def plan(split: Split, clips: int, seed: int) -> list[Talk]:
    """The talks of a split, without rendering anything; the first ones are the same whatever ``clips`` is."""
    talks: list[Talk] = []
    for video in range(-(-clips // CLIPS_PER_VIDEO)):
        rng = scene_rng(seed, split, video)
        talks += _opinions(rng, sample_person(rng, split))
    return talks[:clips]


def texts(split: Split, clips: int, seed: int) -> list[str]:
    """The lines of a split's clips."""
    return [talk.line for talk in plan(split, clips, seed)]


def video_id(split: Split, index: int) -> str:
    """The video of a clip: a letter that says the split, and seven digits."""
    return f"{'abc'[SPLITS.index(split)]}{index // CLIPS_PER_VIDEO:07d}"


def annotation(label: float) -> str:
    """The coarse label that stands beside the score."""
    return "Positive" if label > 0 else "Negative" if label < 0 else "Neutral"


def _opinions(rng: Generator, person: Person) -> Iterator[Talk]:
    for _ in range(CLIPS_PER_VIDEO):
        polarity = int(rng.integers(-2, 3))
        contour = CONTOURS[rng.integers(len(CONTOURS))]
        yield sample_talk(
            rng,
            person,
            line=sample_line(rng, polarity),
            tone=sample_tone(rng, contour),
            expression=FACES[rng.integers(len(FACES))],
            others=FACES,
        )


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of four seconds, each an opinion."""
    rows: list[tuple[object, ...]] = []
    films: dict[str, Shown] = {}
    relevant: dict[Split, dict[str, RelevantSample]] = {split: {} for split in counts}
    for split, count in counts.items():
        for index, talk in enumerate(plan(split, count, seed)):
            video, clip, label = video_id(split, index), index % CLIPS_PER_VIDEO, score(talk)
            rows.append((video, clip, talk.line, label, annotation(label), MODES[split]))
            films[f"Raw/{video}/{clip}.mp4"] = Film((talk,))
            relevant[split][f"{video}/{clip}"] = RelevantSample(relevant_in_talk(talk))
    return Contents(counts, {"label.csv": csv_bytes(HEADER, rows)}, films, relevant)


DATA_SET = DataSet({"dataset": "sentiment"}, contents)
