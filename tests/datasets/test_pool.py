from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tumorlens.datasets.pool import ordered_map


def test_results_are_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(ordered_map(work, range(30), workers=3, ahead=5)) == [n * n for n in range(30)]


def test_items_are_not_read_far_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for done, _ in enumerate(ordered_map(str, items(), workers=2, ahead=4), start=1):
        assert taken <= done + 4


def test_an_error_is_raised_in_its_place_and_threads_end() -> None:
    def work(number: int) -> int:
        return 1 // (number - 3)

    before = threading.active_count()
    results = ordered_map(work, range(10), workers=2, ahead=4)
    assert [next(results) for _ in range(3)] == [-1, -1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before
