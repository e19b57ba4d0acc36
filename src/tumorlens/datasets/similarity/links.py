"""Which scans of a set are likely slices of one head: the nearest of each by likeness, and turned copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.similarity.index import ExactIndex, NearestIndex, make_index
from tumorlens.datasets.similarity.likeness import Likeness
from tumorlens.datasets.similarity.turns import UPRIGHT
from tumorlens.progress import SILENT, Progress

__all__ = ["Links", "find_links"]

_TURNS = (0, 1, 2, 4, 5, 6, 7)
_NEAREST = 16
_NEAREST_TURNED = 4
_SLACK = 0.04
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of scans that may be slices of one head, each once.

    Attributes:
        first: ``(p,)`` int64.
        second: ``(p,)`` int64, larger than ``first``.
        likeness: ``(p,)`` float32, -1..1.
        turned: ``(p,)`` bool, whether one of the two must be turned or mirrored to be so like the other.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    likeness: npt.NDArray[np.float32]
    turned: npt.NDArray[np.bool_]


def find_links(
    thumbnails: npt.NDArray[np.uint8], *, above: float, turned_above: float, progress: Progress = SILENT
) -> Links:
    """Find for each scan up to 16 others like it, and up to 4 turned or mirrored copies a turn.

    By 270 degrees nothing needs to be turned: seen from the other scan it is by 90.

    Args:
        thumbnails: ``(n, side, side)`` uint8.
        above: Likeness that upright pairs must exceed.
        turned_above: Likeness that turned and mirrored pairs must exceed.
        progress: Told about each block.
    """
    likeness = Likeness(thumbnails)
    parts = []
    if len(likeness) > 1:
        index = make_index(likeness.small_rows, len(likeness))
        with progress.task("Looking for slices of one head", total=len(_TURNS) * len(likeness)) as task:
            for turn in _TURNS:
                for start in range(0, len(likeness), _BLOCK):
                    numbers = np.arange(start, min(start + _BLOCK, len(likeness)))
                    bar = above if turn == UPRIGHT else turned_above
                    parts.append(_look(likeness, index, numbers, turn=turn, above=bar))
                    task.advance(len(numbers))
    return _once(parts)


def _look(
    likeness: Likeness, index: ExactIndex | NearestIndex, numbers: npt.NDArray[np.int64], *, turn: int, above: float
) -> Links:
    count = _NEAREST + 1 if turn == UPRIGHT else _NEAREST_TURNED
    found, products = index.nearest(likeness.small_rows(numbers, turn=turn), count)
    place, column = np.nonzero((products > above - _SLACK) & (found >= 0) & (found != numbers[:, None]))
    first, second = numbers[place], found[place, column]
    values = likeness.between(first, second, turn=turn)
    kept = values > above
    return Links(first[kept], second[kept], values[kept], np.full(int(kept.sum()), turn != UPRIGHT))


def _once(parts: list[Links]) -> Links:
    """Each pair once, with its highest likeness, ordered by first and second."""
    empty = np.empty(0, np.int64)
    one = np.concatenate([empty, *(part.first for part in parts)])
    other = np.concatenate([empty, *(part.second for part in parts)])
    values = np.concatenate([np.empty(0, np.float32), *(part.likeness for part in parts)])
    turned = np.concatenate([np.empty(0, bool), *(part.turned for part in parts)])
    first, second = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((-values, second, first))
    first, second, values, turned = first[order], second[order], values[order], turned[order]
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return Links(first[new], second[new], values[new], turned[new])
