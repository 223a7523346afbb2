"""What the generator writes in a data set's files is what the task reads from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.task import Sample, Task
from lstta_tasks.tasks.ave import AVE
from lstta_tasks.tasks.avvp import AVVP
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.sentiment import Sentiment
from lstta_world import ave, llp, meld, mosi, urfunny
from lstta_world.generate import generate
from lstta_world.opinions import score

SIZES = {"train": 5, "val": 2, "test": 3}
SEED = 11


def texts_and_targets(task: Task) -> dict[str, list[tuple[str | None, int | float]]]:
    """Of every split that is there; all its clips are files."""
    by_split = {}
    for split in task.splits():
        samples = task.samples(split)
        assert [sample.source for sample in samples] == task.clips(split)
        assert all(_is_there(sample) for sample in samples)
        by_split[str(split)] = [(sample.text, sample.target) for sample in samples]
    return by_split


def _is_there(sample: Sample) -> bool:
    return sample.source.video is not None and sample.source.video.is_file()


def test_sentiment(tmp_path: Path) -> None:
    generate("sentiment", tmp_path, **SIZES, seed=SEED, workers=1)
    planned = {split: mosi.plan(split, count, SEED) for split, count in SIZES.items()}  # type: ignore[arg-type]
    expected = {split: [(talk.line, score(talk)) for talk in talks] for split, talks in planned.items()}
    assert texts_and_targets(Sentiment(root=tmp_path)) == expected


@pytest.mark.parametrize("context", [0, 3])
def test_emotion(tmp_path: Path, context: int) -> None:
    generate("emotion", tmp_path, **SIZES, seed=SEED, workers=1)
    read = texts_and_targets(Emotion(root=tmp_path, context=context))
    for split, count in SIZES.items():
        planned = meld.plan(split, count, SEED)  # type: ignore[arg-type]
        for (text, _), utterance in zip(read[split], planned, strict=True):
            said = f"{utterance.speaker}: {utterance.talk.line}"
            assert text == said if context == 0 or utterance.number == 0 else str(text).startswith(f"{said} ")
        samples = Emotion(root=tmp_path).samples(split)  # type: ignore[arg-type]
        assert [sample.labels[0] for sample in samples] == [utterance.emotion for utterance in planned]


def test_ave(tmp_path: Path) -> None:
    """A second has the event where an instrument that is one is seen and heard at once."""
    generate("ave", tmp_path, **SIZES, seed=SEED, workers=1)
    task = AVE(root=tmp_path)
    for split, count in SIZES.items():
        planned = ave.plan(split, count, SEED)  # type: ignore[arg-type]
        for sample, clip in zip(task.samples(split), planned, strict=True):  # type: ignore[arg-type]
            assert _is_there(sample)
            for second, place in enumerate(sample.target):  # type: ignore[arg-type]
                both = {ave.CATEGORIES.get(p.performer.instrument) for p in clip.players if p.both[second]} - {None}
                assert both == ({task.answer.classes[place]} - {"background"})  # type: ignore[index]


def test_avvp(tmp_path: Path) -> None:
    """What is heard is what sounds, and what is seen what stands there; of train it is told whether it is at all."""
    generate("avvp", tmp_path, **SIZES, seed=SEED, workers=1)
    task = AVVP(root=tmp_path)
    for split, count in SIZES.items():
        planned = llp.plan(split, count, SEED)  # type: ignore[arg-type]
        for sample, clip in zip(task.samples(split), planned, strict=True):  # type: ignore[arg-type]
            assert _is_there(sample)
            said = {side: llp.labelled(clip, side) for side in ("audio", "visual")}
            if split == "train":
                assert set(task.answer.names(sample.target)) == {label for of in said.values() for label in of}
                continue
            right = task.answer.right(sample)
            for side, labels in said.items():
                on = {(label, second) for label, first, last in right[side] for second in range(first, last)}
                assert on == {(label, s) for label, seconds in labels.items() for s, so in enumerate(seconds) if so}


def test_humor(tmp_path: Path) -> None:
    generate("humor", tmp_path, **SIZES, seed=SEED, workers=1)
    expected = {
        split: [
            (f"{joke.punchline.line} {joke.setup.line}", int(joke.funny))
            for joke in urfunny.plan(split, count, SEED)  # type: ignore[arg-type]
        ]
        for split, count in SIZES.items()
    }
    assert texts_and_targets(Humor(root=tmp_path)) == expected
