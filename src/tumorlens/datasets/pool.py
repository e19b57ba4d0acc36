"""Runs a function over a stream in a few threads: results in order, memory bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["ordered_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, ahead: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order.

    Args:
        function: Called in worker threads; what it raises is raised here.
        items: Read in this thread, never more than ``ahead`` items before the result asked for.
        workers: Number of threads.
        ahead: Most results held or in work.
    """
    stream = iter(items)
    pool = ThreadPoolExecutor(workers)
    try:
        waiting: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(stream, ahead))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(stream, 1))
    finally:
        pool.shutdown(cancel_futures=True)
