"""Which pairs are worth a closer look: those whose descriptors correlate above a bar."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_CANDIDATES", "MOST_NEAREST", "AllPairs", "CandidateSource"]


MOST_CANDIDATES = 512
"""Of one query, at most so many candidates are looked at, the most alike: bounds the work where all scans are alike."""

MOST_NEAREST = 64
"""The same for the approximate index, in each of the eight turns."""


class CandidateSource(Protocol):
    """Reference descriptors that can be searched."""

    def above(
        self, queries: npt.NDArray[np.float32], bar: float, *, start: int | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Find the candidates of a block of queries.

        Args:
            queries: ``(q, d)`` float32, rows of length 1.
            bar: Correlation of descriptors that a pair must exceed.
            start: Queries and references are the same scans, and this is the first query's number; a scan is no
                candidate of itself, and of (a, b) and (b, a) one is enough. ``None``: they are different scans.

        Returns:
            Places among the queries, rising, and numbers of references, ``(p,)`` each.
        """


class AllPairs:
    """Compares every query with every reference.

    Args:
        references: ``(r, d)`` float32, rows of length 1.
    """

    def __init__(self, references: npt.NDArray[np.float32]) -> None:
        self._references = references

    def above(
        self, queries: npt.NDArray[np.float32], bar: float, *, start: int | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """As :meth:`CandidateSource.above`."""
        offset = start or 0
        products = queries @ self._references[offset:].T
        if start is not None:
            products[np.tril_indices(len(queries), m=products.shape[1])] = -np.inf
        first, second = np.nonzero(products > _raised(products, bar))
        return first, second + offset


def _raised(products: npt.NDArray[np.float32], bar: float) -> npt.NDArray[np.float32]:
    """``(q, 1)``: the bar, raised where more than the most candidates are above it."""
    bars = np.full((len(products), 1), bar, np.float32)
    crowded = np.flatnonzero((products > bar).sum(axis=1) > MOST_CANDIDATES)
    if len(crowded):
        bars[crowded, 0] = np.partition(products[crowded], -MOST_CANDIDATES - 1, axis=1)[:, -MOST_CANDIDATES - 1]
    return bars
