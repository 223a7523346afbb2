"""The losses against naive loops, gradients too."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_tasks.retrieval.losses import contrastive_loss, matching_loss, mine


def naive_contrastive(clips: Tensor, texts: Tensor, scale: Tensor, target: list[int]) -> Tensor:
    """Query by query, with a sum over the query's own pair and all that are of other clips."""
    total = torch.zeros((), dtype=clips.dtype)
    for queries, items in ((clips, texts), (texts, clips)):
        for i, query in enumerate(queries):
            against = [j for j in range(len(items)) if j == i or target[j] != target[i]]
            total = (
                total
                - scale * query @ items[i]
                + torch.stack([scale * query @ items[j] for j in against]).exp().sum().log()
            )
    return total / (2 * len(clips))


def unit(seed: int, count: int = 7) -> Tensor:
    torch.manual_seed(seed)
    return F.normalize(torch.randn(count, 5, dtype=torch.float64), dim=1).requires_grad_()


@pytest.mark.parametrize("target", [[0, 1, 2, 3, 4, 5, 6], [3, 1, 3, 1, 0, 3, 2], [4] * 7])
def test_contrastive_loss_equals_a_naive_one(target: list[int]) -> None:
    clips, texts, scale = unit(0), unit(1), torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    loss = contrastive_loss(clips, texts, scale, torch.tensor(target))
    expected = naive_contrastive(clips, texts, scale, target)
    torch.testing.assert_close(loss, expected)
    for found, wanted in zip(*(torch.autograd.grad(x, (clips, texts, scale)) for x in (loss, expected)), strict=True):
        torch.testing.assert_close(found, wanted)


def test_one_pair_alone_has_no_loss() -> None:
    assert contrastive_loss(unit(0, 1), unit(1, 1), torch.tensor(5.0), torch.tensor([3])) == 0


class TestMining:
    def test_wrong_pairs_are_never_of_one_clip_and_right_ones_always(self) -> None:
        target = torch.tensor([3, 1, 3, 1, 0, 3, 2])
        torch.manual_seed(0)
        for _ in range(50):
            right, wrong = mine(torch.randn(7, 7) * 10, target)
            assert right.shape == wrong.shape == (14, 2)
            assert (target[right[:, 0]] == target[right[:, 1]]).all()
            assert (target[wrong[:, 0]] != target[wrong[:, 1]]).all()
            # The first half keeps the clip of the right pair, the second its text.
            assert torch.equal(wrong[:7, 0], right[:7, 0])
            assert torch.equal(wrong[7:, 1], right[7:, 1])

    def test_they_are_drawn_by_their_similarity(self) -> None:
        similarity = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
        torch.manual_seed(0)
        drawn = torch.stack([mine(similarity, torch.arange(3))[1] for _ in range(4000)])
        texts_of_first_clip, clips_of_second_text = drawn[:, 0, 1], drawn[:, 4, 0]
        share = math.e / (math.e + 1)
        assert (texts_of_first_clip == 1).float().mean() == pytest.approx(share, abs=0.03)
        assert (clips_of_second_text == 0).float().mean() == pytest.approx(share, abs=0.03)

    def test_where_there_is_none_the_right_pair_cancels_out(self) -> None:
        right, wrong = mine(torch.randn(3, 3), torch.tensor([5, 5, 5]))
        assert torch.equal(right, wrong)
        score = torch.randn(6, requires_grad=True)
        matching_loss(score, score).backward()
        assert score.grad is not None
        assert torch.equal(score.grad, torch.zeros(6))


def test_matching_loss_equals_a_naive_one() -> None:
    torch.manual_seed(0)
    right, wrong = torch.randn(5), torch.randn(5)
    expected = (
        sum(-math.log(1 / (1 + math.exp(w - r))) for r, w in zip(right.tolist(), wrong.tolist(), strict=True)) / 5
    )
    assert matching_loss(right, wrong).item() == pytest.approx(expected, rel=1e-5)
