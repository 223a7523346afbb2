"""Class weights and label smoothing, against torch's own and scikit-learn's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.answers.scale import Scale
from lstta_tasks.answers.shaped_loss import class_weights
from lstta_tasks.answers.yes_or_no import YesOrNo


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_it_is_torchs(weights: list[float] | None, smoothing: float) -> None:
    torch.manual_seed(0)
    output, target = torch.randn(31, 3), torch.randint(3, (31,))
    weight = None if weights is None else torch.tensor(weights)
    loss = OneOfMany("abc").shaped(weights, smoothing)
    torch.testing.assert_close(
        loss(output, target), F.cross_entropy(output, target, weight=weight, label_smoothing=smoothing)
    )
    more = torch.cat([output, torch.randn(5, 3)])
    outside = torch.cat([target, torch.full((5,), OUTSIDE)])
    torch.testing.assert_close(loss(more, outside), loss(output, target))
    assert loss(more[31:], outside[31:]) == 0


def test_yes_and_no_are_two_classes() -> None:
    torch.manual_seed(1)
    kind, output, target = YesOrNo("funny", "not funny"), torch.randn(17, 1), torch.randint(2, (17,))
    torch.testing.assert_close(kind.shaped(None, 0.0)(output, target), kind.loss(output, target))
    each = F.binary_cross_entropy_with_logits(output[:, 0], target.float(), reduction="none")
    weight = torch.tensor([0.5, 3.0])[target]
    torch.testing.assert_close(kind.shaped([0.5, 3.0], 0.0)(output, target), (each * weight).sum() / weight.sum())
    smooth = F.binary_cross_entropy_with_logits(output[:, 0], target * 0.8 + 0.1)
    torch.testing.assert_close(kind.shaped(None, 0.2)(output, target), smooth)


def test_balanced_weights_are_scikit_learns() -> None:
    truth = ["b"] * 7 + ["a"] * 3 + ["d"]
    found = class_weights("balanced", ["a", "b", "c", "d"], Counter(truth))
    wanted = compute_class_weight("balanced", classes=np.array(["a", "b", "d"]), y=truth)
    assert [found[0], found[1], found[3]] == pytest.approx(wanted.tolist())
    assert found[2] == 1  # which train lacks


def test_weights_by_name() -> None:
    assert class_weights({"c": 3}, ["a", "b", "c"], Counter()) == [1, 1, 3]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("even", "'balanced', a weight by name or a list is wanted, got 'even'"),
        ({"bell": 1}, r"loss.class_weights.bell: there is no such class; did you mean 'bells'\?"),
        ([1, 2], "3 numbers are wanted, one for each class, got 2"),
        ([1, -2, 1], "the weight of 'bells' must be a number, 0 or more, got -2"),
        ([1, float("nan"), 1], "the weight of 'bells' must be a number"),
        ([0, 0, 0], "all weights are 0"),
    ],
)
def test_bad_weights_are_refused(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        class_weights(given, ["cello", "bells", "drum"], Counter())


def test_kinds_without_classes_and_weights_twice() -> None:
    with pytest.raises(ValueError, match="not one of some classes"):
        Scale(-3, 3).shaped(None, 0.1)
    with pytest.raises(ValueError, match="set one of the two to None"):
        OneOfMany("abc", class_weights=[1, 2, 3]).shaped([1, 1, 1], 0.0)
