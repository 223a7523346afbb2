"""Labels heard and seen in every segment: pooling and losses against loops, and reports against the scores' loop."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lstta_tasks.answers.event_scores import NAMES, event_scores
from lstta_tasks.answers.segment_events import OPEN, SegmentEvents
from lstta_tasks.answers.several_labels import NONE
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import Sample, Target
from lstta_tasks.segment_network import OfSegments

LABELS = ("dog", "car", "bell")
CLIPS, SEGMENTS = 5, 7
SOURCE = ClipSource("v", Path("v.mp4"))
KIND = SegmentEvents(LABELS, segments=SEGMENTS)


def made(seed: int = 0) -> OfSegments:
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(2 * random.standard_normal((CLIPS, SEGMENTS, 2, 9))).float().requires_grad_()
    seen = torch.from_numpy(random.random((CLIPS, SEGMENTS, 2)) < 0.8)
    seen[1, :, 0] = False  # a clip without sound
    seen[2, 3] = False  # a segment of which there is nothing
    return OfSegments(logits, seen)


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + (-x).exp())


def pooled_by_loop(output: OfSegments, clip: int, label: int) -> tuple[Tensor, list[Tensor]]:
    """The probability of one label in one clip, and what sound and sight say of it alone."""
    x, seen = output.logits[clip], output.seen[clip].tolist()
    there = [[(t, m) for t in range(SEGMENTS) if seen[t][m]] for m in (0, 1)]
    alone, whole = [], torch.zeros(())
    for m in (0, 1):
        total = torch.zeros(())
        norm = sum((x[t, m, 3 + label].exp() for t, _ in there[m]), torch.zeros(()))
        for t, _ in there[m]:
            p = sigmoid(x[t, m, label])
            share = x[t, m, 3 + label].exp() / norm
            sides = sum((x[t, n, 6 + label].exp() for n in (0, 1) if seen[t][n]), torch.zeros(()))
            total = total + share * p
            whole = whole + share * p * x[t, m, 6 + label].exp() / sides
        alone.append(total)
    return whole, alone


def test_pooling_is_that_of_a_loop() -> None:
    output = made()
    found = KIND.pooled(output)
    for clip in range(CLIPS):
        for label in range(3):
            whole, alone = pooled_by_loop(output, clip, label)
            torch.testing.assert_close(found.clip[clip, label], whole)
            torch.testing.assert_close(found.alone[clip, :, label], torch.stack(alone))
    assert not found.each[1, :, 0].any()


@pytest.mark.parametrize("of_segments", [False, True])
def test_losses_are_those_of_a_loop_with_gradients(of_segments: bool) -> None:
    output = made(1)
    random = np.random.default_rng(2)
    rows = random.integers(0, 2, (CLIPS, SEGMENTS, 2, 3))
    labels = rows.any((1, 2)).astype(int) if of_segments else random.integers(0, 2, (CLIPS, 3))
    target = torch.from_numpy(rows.reshape(CLIPS, SEGMENTS, 6) if of_segments else labels)
    if of_segments:
        target[0, -1] = OPEN
        labels[0] = rows[0, :-1].any((0, 1))

    def entropy(p: Tensor, wanted: float) -> Tensor:
        p = p.clamp(1e-7, 1 - 1e-7)
        return -(wanted * p.log() + (1 - wanted) * (1 - p).log())

    naive = []
    for clip in range(CLIPS):
        terms = torch.zeros(())
        for label in range(3):
            y = float(labels[clip, label])
            whole, alone = pooled_by_loop(output, clip, label)
            terms = terms + entropy(whole, y) / 3
            for m, smoothing in ((0, 0.0), (1, 0.1)):
                if output.seen[clip, :, m].any():
                    terms = terms + entropy(alone[m], (1 - smoothing) * y + smoothing / 2) / 3
        if of_segments:
            own = [
                entropy(sigmoid(output.logits[clip, t, m, label]), float(rows[clip, t, m, label]))
                for t in range(SEGMENTS)
                for m in (0, 1)
                for label in range(3)
                if output.seen[clip, t, m] and not (clip == 0 and t == SEGMENTS - 1)
            ]
            terms = terms + torch.stack(own).mean()
        naive.append(terms)
    losses, weights = KIND.losses(output, target)
    torch.testing.assert_close(losses, torch.stack(naive))
    assert weights.tolist() == [1] * CLIPS
    loss, wanted = KIND.loss(output, target), torch.stack(naive).mean()
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(*(torch.autograd.grad(x, output.logits)[0] for x in (loss, wanted)))


def test_a_clip_of_nothing_has_a_loss_and_no_gradient() -> None:
    output = made()
    blind = OfSegments(output.logits, torch.zeros_like(output.seen))
    loss = KIND.loss(blind, torch.zeros(CLIPS, 3))
    assert loss.isfinite()
    assert not torch.autograd.grad(loss, output.logits)[0].any()
    assert KIND.predict(blind)[0] == {"audio": [], "visual": [], "unseen": list(range(SEGMENTS))}
    assert KIND.describe(blind)[0].text == NONE


def test_predictions_are_what_is_likely_and_in_the_clip() -> None:
    output = made()
    found = KIND.pooled(output)
    for clip, said in enumerate(KIND.predict(output)):
        for m, side in enumerate(("audio", "visual")):
            on = {(label, t) for label, first, last in said[side] for t in range(first, last)}
            assert on == {
                (name, t)
                for place, name in enumerate(LABELS)
                for t in range(SEGMENTS)
                if found.each[clip, t, m, place] >= 0.5 and found.clip[clip, place] >= 0.5
            }
    assert KIND.predict(output)[2]["unseen"] == [3]


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_report_is_of_what_counts(share: float) -> None:
    """Rows that are left open, and segments of which there was nothing, are taken out of both."""
    random = np.random.default_rng(3)
    rows = (random.random((CLIPS, SEGMENTS, 2, 3)) < share).astype(int)
    target = rows.reshape(CLIPS, SEGMENTS, 6).copy()
    target[0, -2:] = OPEN
    samples = [Sample(str(i), SOURCE, None, tuple(map(tuple, row))) for i, row in enumerate(target.tolist())]
    predictions = dict(zip("01234", KIND.predict(made(4)), strict=True))
    counted = np.ones((CLIPS, SEGMENTS), bool)
    counted[0, -2:] = False
    said = np.zeros((CLIPS, 2, 3, SEGMENTS), bool)
    for clip, one in enumerate(predictions.values()):
        counted[clip, one["unseen"]] = False
        for m, side in enumerate(("audio", "visual")):
            for label, first, last in one[side]:
                said[clip, m, LABELS.index(label), first:last] = True
    keep = counted[:, None, None]
    wanted = event_scores(said & keep, (rows == 1).transpose(0, 2, 3, 1) & keep).mean(0)
    report = KIND.report(predictions, samples)
    assert [score.name for score in report.scores] == list(NAMES)
    assert [score.value for score in report.scores] == pytest.approx(wanted.tolist())
    assert report.primary == "segment/Type@AV"


def test_clips_with_labels_alone_are_measured_by_those() -> None:
    samples = [Sample(str(i), SOURCE, None, row) for i, row in enumerate([(1, 0, 1), (0, 0, 0), (0, 1, 0)])]
    said = {
        "0": {"audio": [["dog", 0, 2]], "visual": [["dog", 3, 4], ["car", 1, 2]], "unseen": []},
        "1": {"audio": [], "visual": [], "unseen": []},
        "2": {"audio": [["car", 0, 7]], "visual": [], "unseen": []},
    }
    (score,) = KIND.report(said, samples).scores
    assert score.value == pytest.approx(2 * 2 / (3 + 3))  # dog and car are hit; said are three pairs, true are three
    assert KIND.outcome(samples[0], said["0"]).truth == ["dog", "bell"]
    assert [KIND.names(sample.target) for sample in samples] == [["dog", "bell"], [NONE], ["car"]]


def test_what_is_said() -> None:
    truth = [[0] * 6 for _ in range(SEGMENTS)]
    truth[1][0] = truth[2][0] = truth[6][4] = 1
    sample = Sample("s", SOURCE, None, tuple(map(tuple, truth)))
    assert KIND.in_words(KIND.right(sample)) == "sound: dog 2–3 · sight: car 7"
    assert KIND.right(sample)["audio"] == [["dog", 1, 3]]
    answer = KIND.describe(made())[0]
    assert set(answer.segments) == {f"{label}, {side}" for label in LABELS for side in ("sound", "sight")}
    highest = [max(row) for row in answer.segments.values()]
    assert highest == sorted(highest, reverse=True)
    assert all(math.isfinite(p) and 0 <= p <= 1 for row in answer.segments.values() for p in row)


def test_targets_on_the_clips_time() -> None:
    rows = tuple((i % 2,) * 6 for i in range(SEGMENTS))
    assert KIND.at(rows, [1, 1, 9]) == ((1,) * 6, (1,) * 6, (OPEN,) * 6)
    assert KIND.at((0, 1, 0), [1, 1, 9]) == (0, 1, 0)


@pytest.mark.parametrize("target", [(), (0, 1), (0, 1, 2), ((0,) * 5,), ((0,) * 6, (3,) * 6), 1, "abc"])
def test_targets_that_are_none_are_refused(target: Target) -> None:
    with pytest.raises(
        ValueError, match="a row of 3 numbers is wanted, each 0 or 1, or a row of 6 for each segment, got"
    ):
        KIND.names(target)


def test_another_number_of_segments_is_named() -> None:
    with pytest.raises(ValueError, match=r"clips have 7 segments \(clips.segments\), the targets 3"):
        KIND.loss(made(), torch.zeros(CLIPS, 3, 6))
