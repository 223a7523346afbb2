"""Each sample's loss, and what it counts: their weighted mean over a batch is the loss that trains."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.answers.scale import Scale
from lstta_tasks.answers.several_labels import SeveralLabels
from lstta_tasks.answers.yes_or_no import YesOrNo

KINDS: list[tuple[AnswerKind, int, Any]] = [
    (OneOfMany("abc"), 3, [2, 0, OUTSIDE, 1, 1]),
    (OneOfMany("abc", class_weights=[0.5, 2.0, 3.0]), 3, [2, 0, OUTSIDE, 1, 1]),
    (YesOrNo("yes", "no"), 1, [1, 0, 0, 1, 1]),
    (Scale(-3, 3), 1, [0.5, -2.0, 3.0, 0.0, 1.0]),
    (Scale(-3, 3, loss="smooth_l1"), 1, [0.5, -2.0, 3.0, 0.0, 1.0]),
    (SeveralLabels("abc"), 3, [[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1]]),
]


@pytest.mark.parametrize(("kind", "width", "target"), KINDS)
def test_the_mean_of_unequal_batches_is_that_of_all(kind: AnswerKind, width: int, target: Any) -> None:
    output, targets = torch.randn(5, width, generator=torch.Generator().manual_seed(7)), torch.tensor(target)
    whole = kind.loss(output, targets)
    parts = [kind.losses(output[rows], targets[rows]) for rows in (slice(0, 2), slice(2, 3), slice(3, 5))]
    losses, weights = (torch.cat(part) for part in zip(*parts, strict=True))
    assert losses.shape == weights.shape == (5,)
    torch.testing.assert_close((losses * weights).sum() / weights.sum(), whole)


def test_by_default_it_is_the_batchs() -> None:
    kind = YesOrNo("yes", "no")
    output, target = torch.randn(3, 1), torch.tensor([1, 0, 1])
    losses, weights = AnswerKind.losses(kind, output, target)
    assert losses.tolist() == [kind.loss(output, target).item()] * 3
    assert weights.tolist() == [1, 1, 1]


@pytest.mark.parametrize("class_weights", [None, [1.0, 2.0]])
def test_a_batch_of_answers_outside_the_vocabulary_has_no_loss(class_weights: list[float] | None) -> None:
    output = torch.randn(3, 2, requires_grad=True)
    loss = OneOfMany("ab", class_weights=class_weights).loss(output, torch.full((3,), OUTSIDE))
    loss.backward()
    assert loss.item() == 0
    assert output.grad is not None
    assert not output.grad.any()
