"""Ranks and their metrics against naive loops, scipy and simulation; ties, one query, nothing but ties, NaN."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import rankdata

from lstta_tasks.retrieval.ranks import chance, measured, ranks, reranked, top


def naive_rank(scores: list[float], own: list[bool]) -> int:
    """Sort so that of equal scores the strangers come first, and count up to the first own item."""
    best = max(score for score, mine in zip(scores, own, strict=True) if mine)
    order = [(-best, True)] + [(-score, False) for score, mine in zip(scores, own, strict=True) if not mine]
    return 1 + sorted(order).index((-best, True))


def random_case(seed: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """(11, 7) scores of few different values, with one to three own items a query."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (11, 7)) / levels
    own = np.zeros((11, 7), bool)
    for row in own:
        row[rng.choice(7, rng.integers(1, 4), replace=False)] = True
    return scores, own


class TestRanks:
    @pytest.mark.parametrize(("seed", "levels"), [*itertools.product(range(5), (1, 2, 3, 1000))])
    def test_equal_a_naive_loop(self, seed: int, levels: int) -> None:
        scores, own = random_case(seed, levels)
        expected = [naive_rank(list(row), list(mine)) for row, mine in zip(scores, own, strict=True)]
        assert ranks(scores, own).tolist() == expected

    @pytest.mark.parametrize("levels", [1, 3, 1000])
    def test_of_one_own_item_equal_scipys_of_the_worst_place(self, levels: int) -> None:
        rng = np.random.default_rng(2)
        scores = rng.integers(0, levels, (13, 13)).astype(float)
        expected = rankdata(-scores, method="max", axis=1).diagonal()
        assert ranks(scores, np.eye(13, dtype=bool)).tolist() == expected.tolist()

    def test_a_model_that_scores_all_alike_comes_last(self) -> None:
        found = ranks(np.full((7, 7), 0.3), np.eye(7, dtype=bool))
        assert found.tolist() == [7] * 7
        assert measured(found, (1, 5)).recall == {1: 0.0, 5: 0.0}

    def test_one_query_and_one_item(self) -> None:
        assert ranks(np.array([[-0.7]]), np.array([[True]])).tolist() == [1]

    def test_own_items_do_not_stand_in_each_others_way(self) -> None:
        assert ranks(np.array([[0.5, 0.5, 0.1]]), np.array([[True, True, False]])).tolist() == [1]

    def test_nan_is_refused(self) -> None:
        scores = np.eye(5)
        scores[[1, 3], 2] = np.nan
        with pytest.raises(ValueError, match="2 of 5 queries have a score that is not a number"):
            ranks(scores, np.eye(5, dtype=bool))

    def test_a_query_without_an_own_item_is_refused(self) -> None:
        own = np.eye(3, dtype=bool)
        own[1] = False
        with pytest.raises(ValueError, match="1 of 3 queries have no item of their own"):
            ranks(np.eye(3), own)


class TestMetrics:
    def test_equal_naive_loops(self) -> None:
        found = np.random.default_rng(0).integers(1, 30, 17)
        metrics = measured(found, (1, 5, 10))
        for k in (1, 5, 10):
            assert metrics.recall[k] == sum(rank <= k for rank in found.tolist()) / 17
        assert metrics.median == sorted(found.tolist())[8]
        assert metrics.mean == pytest.approx(sum(found.tolist()) / 17)

    def test_of_an_even_number_the_median_is_between_two(self) -> None:
        assert measured(np.array([1, 4, 7, 9]), (1,)).median == 5.5

    def test_one_rank(self) -> None:
        metrics = measured(np.array([3]), (1, 5))
        assert (metrics.recall, metrics.median, metrics.mean) == ({1: 0.0, 5: 1.0}, 3.0, 3.0)


class TestChance:
    @pytest.mark.parametrize("items", [1, 7, 10])
    def test_with_one_own_item_it_is_the_well_known(self, items: int) -> None:
        guessed = chance(np.ones(3, np.int64), items, (1, 5))
        assert guessed.recall == pytest.approx({1: 1 / items, 5: min(5 / items, 1)})
        assert guessed.median == guessed.mean == pytest.approx((items + 1) / 2)

    def test_with_several_it_is_that_of_all_orders(self) -> None:
        """Every order of six items, for queries that own one, two and two of them."""
        found = [
            min(order.index(item) for item in range(own)) + 1
            for own in (1, 2, 2)
            for order in itertools.permutations(range(6))
        ]
        # Own items do not count as strangers: the first own item's place is its rank.
        exact = measured(np.array(found), (1, 3, 6))
        guessed = chance(np.array([1, 2, 2]), 6, (1, 3, 6))
        assert guessed.recall == pytest.approx(exact.recall)
        assert guessed.mean == pytest.approx(exact.mean)
        assert guessed.median == exact.median

    def test_cutoffs_beyond_the_items(self) -> None:
        assert chance(np.array([1, 2]), 3, (10,)).recall == {10: pytest.approx(1.0)}


class TestSecondPass:
    def test_top_is_the_first_of_equals(self) -> None:
        assert top(np.array([[0.1, 0.5, 0.5, 0.2], [1.0, 1.0, 1.0, 1.0]]), 3).tolist() == [[1, 2, 3], [0, 1, 2]]
        assert top(np.array([[0.1, 0.5]]), 9).tolist() == [[1, 0]]

    @pytest.mark.parametrize("seed", range(5))
    def test_order_equals_a_naive_one(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        scores, second = rng.normal(size=(5, 11)), rng.normal(size=(5, 3))
        items = top(scores, 3)
        for row, result in enumerate(reranked(scores, items, second)):
            again = [int(item) for _, item in sorted(zip(-second[row], items[row], strict=True))]
            rest = [int(item) for item in np.argsort(-scores[row]) if item not in items[row]]
            assert np.argsort(-result).tolist() == again + rest

    def test_equal_ones_stay_equal_and_before_the_others(self) -> None:
        result = reranked(np.array([[0.1, 0.9, 0.8, 0.9]]), np.array([[1, 3]]), np.array([[-5.0, -5.0]]))
        assert ranks(result, np.array([[False, True, False, False]])).tolist() == [2]
        assert ranks(result, np.array([[False, False, True, False]])).tolist() == [3]
