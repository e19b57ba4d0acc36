"""Reads one batch ahead in a thread while the one before is trained on. Knows nothing about what is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

Place = TypeVar("Place")
Batch = TypeVar("Batch")


def read_ahead(read: Callable[[Place], Batch], places: Sequence[Place]) -> Iterator[tuple[Place, Batch]]:
    """Each of ``places`` and what ``read`` gives for it, in order; an error of ``read`` is raised where it belongs."""
    if not len(places):
        return
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, places[0])
        for number, place in enumerate(places):
            batch = ahead.result()
            if number + 1 < len(places):
                ahead = reader.submit(read, places[number + 1])
            yield place, batch
