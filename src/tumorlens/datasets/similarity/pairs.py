"""Pairs of scans that look alike, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["TwinPairs", "empty_pairs", "join_pairs"]


@dataclass(frozen=True, eq=False)
class TwinPairs:
    """Pairs of near-identical thumbnails; entry i of each column belongs to pair i.

    Attributes:
        first: ``(p,)`` int64, index into the (query) thumbnails.
        second: ``(p,)`` int64, index into the reference thumbnails; within one set always the larger.
        similarity: ``(p,)`` float32, correlation of the thumbnails once turned and shifted onto each other, -1..1.
        turn: ``(p,)`` int8, how the first must be turned to look like the second: 0 not at all; 1, 2, 3 by 90, 180,
            270 degrees counter-clockwise; 4 mirrored left-right; 5, 6, 7 mirrored, then turned by 90, 180, 270 degrees.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    turn: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> TwinPairs:
        """The chosen pairs, by mask or by place."""
        return TwinPairs(self.first[chosen], self.second[chosen], self.similarity[chosen], self.turn[chosen])


def empty_pairs() -> TwinPairs:
    """No pairs."""
    return TwinPairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int8))


def join_pairs(parts: Sequence[TwinPairs]) -> TwinPairs:
    """One after the other."""
    if not parts:
        return empty_pairs()
    return TwinPairs(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.second for part in parts]),
        np.concatenate([part.similarity for part in parts]),
        np.concatenate([part.turn for part in parts]),
    )
