"""Work ahead: in order, no further than asked, and nothing more once nobody takes it."""

from __future__ import annotations

import threading

import pytest

from lstta_tasks.data.ahead import ahead


def test_results_come_in_order() -> None:
    found = [(item, future.result()) for item, future in ahead(range(11), lambda n: n * n, workers=3, most=5)]
    assert found == [(n, n * n) for n in range(11)]


def test_no_more_is_taken_than_is_said() -> None:
    taken: list[int] = []

    def endless() -> object:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    results = ahead(endless(), lambda item: item, workers=1, most=3)  # type: ignore[call-overload]
    next(results)
    assert taken == [0, 1, 2, 3]
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_an_error_is_that_of_its_item() -> None:
    def work(number: int) -> int:
        if number == 1:
            raise OSError("one")
        return number

    futures = [future for _, future in ahead(range(3), work)]
    assert (futures[0].result(), futures[2].result()) == (0, 2)
    with pytest.raises(OSError, match="one"):
        futures[1].result()


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="at least 1, got workers=0, most=1"):
        next(ahead([1], str, workers=0, most=1))
