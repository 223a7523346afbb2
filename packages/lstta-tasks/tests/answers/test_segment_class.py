"""A class in every segment: the loss against a loop, accuracy against its definition, and what counts nowhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import Generator
from torch import Tensor

from lstta_tasks.answers.class_table import class_table, each_class
from lstta_tasks.answers.each_segment import on_the_clips_time
from lstta_tasks.answers.segment_class import SegmentClass
from lstta_tasks.answers.shaped_loss import OUTSIDE
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import Sample, Target
from lstta_tasks.segment_network import OfSegments

CLASSES = ("a", "b", "none")
SEGMENTS = 5
SOURCE = ClipSource("v", Path("v.mp4"))
KIND = SegmentClass(CLASSES, segments=SEGMENTS, background="none")


def batch(random: Generator, clips: int = 7, segments: int = SEGMENTS) -> tuple[OfSegments, Tensor]:
    logits = torch.from_numpy(random.standard_normal((clips, segments, 1, 3))).requires_grad_()
    seen = torch.from_numpy(random.random((clips, segments, 1)) < 0.8)
    return OfSegments(logits, seen), torch.from_numpy(random.integers(OUTSIDE, 3, (clips, segments)))


def samples_of(target: Tensor) -> list[Sample]:
    return [Sample(str(i), SOURCE, None, tuple(row)) for i, row in enumerate(target.tolist())]


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_the_loss_is_that_of_a_loop_with_gradients(weights: list[float] | None) -> None:
    output, target = batch(np.random.default_rng(0))
    terms, counts, by_clip = [], [], []
    for clip in range(7):
        own = []
        for segment in range(SEGMENTS):
            wanted = int(target[clip, segment])
            if wanted == OUTSIDE or not output.seen[clip, segment, 0]:
                continue
            weight = weights[wanted] if weights else 1.0
            term = -output.logits[clip, segment, 0].log_softmax(-1)[wanted]
            terms.append(weight * term)
            counts.append(weight)
            own.append(term)
        by_clip.append(own)
    naive = torch.stack(terms).sum() / sum(counts)
    loss = KIND.shaped(weights, 0.0)(output, target)
    torch.testing.assert_close(loss, naive)
    torch.testing.assert_close(*(torch.autograd.grad(x, output.logits)[0] for x in (loss, naive)))
    losses, number = KIND.losses(output, target)
    assert number.tolist() == [len(own) for own in by_clip]
    for found, own in zip(losses, by_clip, strict=True):
        torch.testing.assert_close(found.double(), torch.stack(own).mean() if own else torch.zeros(()).double())
    if weights is None:
        torch.testing.assert_close((losses * number).sum() / number.sum(), naive.float())


def test_nothing_counts() -> None:
    output, target = batch(np.random.default_rng(1))
    blind = OfSegments(output.logits, torch.zeros_like(output.seen))
    assert KIND.loss(blind, target).item() == 0
    assert KIND.loss(output, torch.full_like(target, OUTSIDE)).item() == 0
    said = dict(zip("0123456", KIND.predict(blind), strict=True))
    assert said["0"] == {"segments": [None] * SEGMENTS, "probability": [0.0] * SEGMENTS}
    with pytest.raises(ValueError, match="none of 7 clips has a segment that can be counted"):
        KIND.report(said, samples_of(target))


def loop(samples: list[Sample], said: dict[str, list[str | None]], only: str | None) -> tuple[int, int]:
    """Right segments and all that count: accuracy is the first over the second."""
    right = total = 0
    for sample in samples:
        assert isinstance(sample.target, tuple)
        for place, name in zip(sample.target, said[sample.id], strict=True):
            if place == OUTSIDE or name is None:
                continue
            truth = CLASSES[int(place)]
            if (only == "events" and truth == "none") or (only == "background" and truth != "none"):
                continue
            total += 1
            right += truth == name
    return right, total


RANDOM = [f"random {seed}" for seed in range(4)]


@pytest.mark.parametrize("case", [*RANDOM, "no events", "all events", "one segment", "one class of all", "one clip"])
def test_accuracy_is_its_definition(case: str) -> None:
    random = np.random.default_rng(len(case) if case not in RANDOM else RANDOM.index(case))
    output, target = batch(random, 1 if case == "one clip" else 11, 1 if case == "one segment" else SEGMENTS)
    if case == "no events":
        target = torch.full_like(target, 2)
    if case == "all events":
        target = target.clamp(0, 1)
    if case == "one class of all":
        target = torch.zeros_like(target)
    samples = samples_of(target)
    predictions = dict(zip((sample.id for sample in samples), KIND.predict(output), strict=True))
    said = {name: prediction["segments"] for name, prediction in predictions.items()}
    report = KIND.report(predictions, samples)
    assert report.primary == "accuracy"
    for name, only in (("accuracy", None), ("accuracy/events", "events"), ("accuracy/background", "background")):
        right, total = loop(samples, said, only)
        found = [score.value for score in report.scores if score.name == name]
        assert found == ([pytest.approx(right / total)] if total else [])
    truth, found_names = each_class(
        *zip(*((o.truth, o.prediction) for o in (KIND.outcome(s, predictions[s.id]) for s in samples)), strict=True)
    )
    right, total = loop(samples, said, None)
    assert class_table(truth, found_names, CLASSES).counts.sum() == total
    assert sum(t == f for t, f in zip(truth, found_names, strict=True)) == right


def test_the_trivial_answer_is_the_commonest_class_everywhere() -> None:
    samples = samples_of(torch.tensor([[0, 0, 2, 2, 2], [1, 2, 2, 2, OUTSIDE]]))
    assert KIND.trivial(samples)["1"]["segments"] == ["none"] * SEGMENTS
    score = KIND.report(KIND.trivial(samples), samples).score("accuracy")
    assert (score.value, score.baseline, score.baseline_name) == (6 / 9, 6 / 9, "always none")


def test_what_is_said() -> None:
    logits = torch.full((1, SEGMENTS, 1, 3), -3.0)
    for segment, place in enumerate((2, 0, 0, 2, 1)):
        logits[0, segment, 0, place] = 3
    seen = torch.ones(1, SEGMENTS, 1, dtype=torch.bool)
    (answer,) = KIND.describe(OfSegments(logits, seen))
    assert answer.text == "a 2–3; b 5"
    assert list(answer.segments) == ["a", "none", "b"]
    assert all(len(row) == SEGMENTS for row in answer.segments.values())
    quiet = OfSegments(logits[:, :1].expand(-1, SEGMENTS, -1, -1), seen)
    assert KIND.describe(quiet)[0].text == "none"


@pytest.mark.parametrize("target", [(), (0, 3), (0, -2), (0.5,), 1, ("a",), ((0,),)])
def test_targets_that_are_none_are_refused(target: Target) -> None:
    with pytest.raises(ValueError, match="a row of classes is wanted, each a whole number from -1 on, got"):
        KIND.names(target)


def test_another_number_of_segments_is_named() -> None:
    output, target = batch(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"clips have 5 segments \(clips.segments\), the targets \(4,\)"):
        KIND.loss(output, target[:, :4])


@pytest.mark.parametrize(
    ("duration", "segments", "wanted"),
    [
        (5.0, 5, (0, 1, 2, 0, 1)),
        (None, 5, (0, 1, 2, 0, 1)),
        (None, 10, (0, 0, 1, 1, 2, 2, 0, 0, 1, 1)),
        (2.5, 5, (0, 0, 1, 1, 2)),
        (10.0, 5, (1, 0, OUTSIDE, OUTSIDE, OUTSIDE)),
        (5.02, 5, (0, 1, 2, 0, 1)),
        (5.0, 2, (1, 0)),
    ],
)
def test_targets_are_laid_on_the_clips_time(duration: float | None, segments: int, wanted: tuple[int, ...]) -> None:
    """A row a second: each segment takes that of its middle, and has none behind the last."""
    sample = Sample("s", SOURCE, None, (0, 1, 2, 0, 1))
    lasts = None if duration is None else lambda clip: {"v": duration}[clip]
    (placed,) = on_the_clips_time(KIND, [sample], segments, lasts)
    assert placed.target == wanted
