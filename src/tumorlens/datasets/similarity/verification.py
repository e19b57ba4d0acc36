"""Compares candidates closely: at half size first, which rules out most, then by the full thumbnails."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.similarity.alignment import MOST_SHIFT, aligned_similarity, halve, lengths
from tumorlens.datasets.similarity.pairs import TwinPairs
from tumorlens.datasets.similarity.turns import turn_pictures

__all__ = ["Verifier"]

_HALF_SLACK = 0.02


class Verifier:
    """Compares queries with references, pair by pair.

    Args:
        queries: ``(q, side, side)`` uint8.
        references: ``(r, side, side)`` uint8.
        above: Similarity that a pair must exceed.
    """

    def __init__(self, queries: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8], *, above: float) -> None:
        self.above = above
        self._full = _Level(queries, references, reach=MOST_SHIFT)
        halved = halve(references)
        self._half = _Level(halved if queries is references else halve(queries), halved, reach=MOST_SHIFT // 2)

    def look(self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], turn: int) -> TwinPairs:
        """The candidates whose similarity exceeds the threshold; they come ordered by ``first``."""
        hopeful = self._half.similarity(first, second, turn) > self.above - _HALF_SLACK
        first, second = first[hopeful], second[hopeful]
        similarity = self.similarity(first, second, turn)
        pairs = TwinPairs(first, second, similarity, np.full(len(first), turn, np.int8))
        return pairs.take(similarity > self.above)

    def similarity(
        self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], turn: int
    ) -> npt.NDArray[np.float32]:
        """Similarity of pairs ordered by ``first``, ``(p,)`` float32."""
        return self._full.similarity(first, second, turn)


class _Level:
    """Queries and references at one size."""

    def __init__(self, queries: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8], *, reach: int) -> None:
        self._queries = queries
        self._references = references
        self._lengths = lengths(references)
        self._reach = reach

    def similarity(
        self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], turn: int
    ) -> npt.NDArray[np.float32]:
        result = np.empty(len(first), np.float32)
        numbers, starts, counts = np.unique(first, return_index=True, return_counts=True)
        for number, start, end in zip(numbers, starts, starts + counts, strict=True):
            others = second[start:end]
            query = turn_pictures(self._queries[number], turn)
            result[start:end] = aligned_similarity(
                query, self._references[others], self._lengths[others], reach=self._reach
            )
        return result
