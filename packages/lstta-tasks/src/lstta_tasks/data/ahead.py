"""Work that is done in the background while earlier results are used: files are decoded ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    items: Iterable[Item], work: Callable[[Item], Result], *, workers: int = 2, most: int = 4
) -> Iterator[tuple[Item, Future[Result]]]:
    """Each item, in order, with its work, which is done or under way.

    Decoding runs outside Python's lock, so threads do. What is left when the iterator is closed is not begun.

    Args:
        items: taken from one by one, so many ahead of whoever takes from here.
        work: is done for each, in a thread.
        workers: threads.
        most: items that are taken ahead.

    Raises:
        ValueError: an argument is below 1.
    """
    if workers < 1 or most < 1:
        raise ValueError(f"workers and most must be at least 1, got workers={workers}, most={most}")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ahead")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > most:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
