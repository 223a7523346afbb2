"""Built-in clips with a sentiment, in the raw layout of CMU-MOSI and CMU-MOSEI as MMSA distributes them.

``<root>/label.csv`` with the columns ``video_id, clip_id, text, label, annotation, mode`` (train, valid or test) and
``<root>/Raw/<video_id>/<clip_id>.mp4``. A video is one speaker; a clip is one opinion about a film.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from numpy.random import Generator

from lstta_world.casting import sample_person, sample_talk, sample_tone
from lstta_world.dataset import Folder, Report, write_csv, write_talks
from lstta_world.opinions import FACES, sample_line, score
from lstta_world.scene import SPLITS, Split, scene_rng
from lstta_world.talk import CONTOURS, Person, Talk

CLIPS_PER_VIDEO = 5
MODES: dict[Split, str] = {"train": "train", "val": "valid", "test": "test"}
HEADER = ("video_id", "clip_id", "text", "label", "annotation", "mode")


def generate_sentiment(
    root: Path, *, train: int = 2000, val: int = 300, test: int = 400, seed: int = 0, workers: int = 2
) -> Report:
    """Write ``train`` + ``val`` + ``test`` clips of four seconds.

    A second run with the same arguments does nothing; one that was interrupted goes on where it was.

    Raises:
        ValueError: ``root`` holds something that was not generated with these arguments.
    """
    root = Path(root)
    counts: dict[Split, int] = {"train": train, "val": val, "test": test}
    folder = Folder(root, {"dataset": "sentiment", "train": train, "val": val, "test": test, "seed": seed})
    earlier = folder.begin()
    if earlier is not None:
        return earlier
    clips: list[tuple[Path, Talk]] = []
    rows: list[tuple[object, ...]] = []
    for split, count in counts.items():
        for index, talk in enumerate(plan(split, count, seed)):
            video, clip = video_id(split, index), index % CLIPS_PER_VIDEO
            (root / "Raw" / video).mkdir(parents=True, exist_ok=True)
            clips.append((root / "Raw" / video / f"{clip}.mp4", talk))
            label = score(talk)
            rows.append((video, clip, talk.line, label, annotation(label), MODES[split]))
    write_csv(root / "label.csv", HEADER, rows)
    rendered, kept = write_talks(clips, workers)
    totals = {str(split): count for split, count in counts.items()}
    return folder.finish(totals, totals, rendered, kept)


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
