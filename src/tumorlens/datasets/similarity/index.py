"""Approximate nearest neighbours for large sets: fewer numbers a scan, and only the nearest cells searched.

Rows are reduced to their 96 main components and sorted into cells (inverted file: Jégou et al. 2011,
doi:10.1109/TPAMI.2010.57; Faiss: Douze et al. 2024, arXiv:2401.08281). The number of cells grows with the square root
of the number of rows. Same rows, same answers, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from tumorlens.datasets.similarity.candidates import MOST_NEAREST

__all__ = ["MOST_EXACT", "ExactIndex", "NearestIndex", "make_index"]

Rows = npt.NDArray[np.float32]

MOST_EXACT = 20_000
"""Above so many references the approximate index is used."""

_COMPONENTS = 96
_SAMPLE = 10_000
_CELLS_PER_ROOT = 4
_CELLS_SEARCHED = 48
_BLOCK = 4096


def make_index(rows_of: Callable[[npt.NDArray[np.int64]], Rows], count: int) -> ExactIndex | NearestIndex:
    """An index of ``count`` references: exact up to 20,000 of them, approximate above."""
    return ExactIndex(rows_of, count) if count <= MOST_EXACT else NearestIndex(rows_of, count)


class ExactIndex:
    """Compares with all references; otherwise as :class:`NearestIndex`."""

    def __init__(self, rows_of: Callable[[npt.NDArray[np.int64]], Rows], count: int) -> None:
        self._rows = rows_of(np.arange(count))

    def nearest(self, rows: Rows, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """As :meth:`NearestIndex.nearest`, with exact products."""
        products = rows @ self._rows.T
        count = min(count, products.shape[1])
        found = np.argpartition(-products, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(products, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)


class NearestIndex:
    """Reference rows that can be asked for their nearest.

    Args:
        rows_of: Gives the rows ``(m, d)`` float32, of length 1, of the references numbered in ``(m,)`` int64. Called
            block by block, so that all rows never are in memory together.
        count: Number of references, at least 2.
    """

    def __init__(self, rows_of: Callable[[npt.NDArray[np.int64]], Rows], count: int) -> None:
        import faiss

        sample = np.sort(np.random.default_rng(0).permutation(count)[:_SAMPLE])
        rows = rows_of(sample)
        self._axes = _main_axes(rows)
        cells = max(min(int(_CELLS_PER_ROOT * np.sqrt(count)), len(sample) // 4), 1)
        quantizer = faiss.IndexFlatIP(self._axes.shape[1])
        self._index: Any = faiss.IndexIVFFlat(quantizer, self._axes.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
        self._index.cp.min_points_per_centroid = 1
        self._index.cp.seed = 1
        self._index.train(self._reduce(rows))
        for start in range(0, count, _BLOCK):
            self._index.add(self._reduce(rows_of(np.arange(start, min(start + _BLOCK, count)))))
        self._index.nprobe = min(_CELLS_SEARCHED, cells)

    def nearest(self, rows: Rows, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Find the nearest references of each row.

        Args:
            rows: ``(q, d)`` float32, of length 1.
            count: How many to find.

        Returns:
            References ``(q, count)``, -1 where fewer were found, and their approximate products with the row, falling.
        """
        products, found = self._index.search(self._reduce(rows), count)
        return found, products

    def above(
        self, queries: Rows, bar: float, *, start: int | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """As :meth:`~tumorlens.datasets.similarity.candidates.CandidateSource.above`, of the nearest of each query."""
        found, products = self.nearest(queries, MOST_NEAREST)
        first, place = np.nonzero((products > bar) & (found >= 0))
        second = found[first, place]
        if start is None:
            return first, second
        other = second != first + start
        return first[other], second[other]

    def _reduce(self, rows: Rows) -> Rows:
        """Main components, of length 1 again."""
        reduced = rows @ self._axes
        length = np.linalg.norm(reduced, axis=1, keepdims=True)
        return np.ascontiguousarray(reduced / np.maximum(length, 1e-6), np.float32)


def _main_axes(rows: Rows) -> Rows:
    """The ``(d, 96)`` axes along which the rows differ most; the mean is kept, as products need it."""
    width = rows.shape[1]
    if len(rows) < width:
        axes = np.linalg.svd(rows, full_matrices=False)[2][:_COMPONENTS].T
    else:
        first = max(width - _COMPONENTS, 0)
        axes = eigh(rows.T @ rows, subset_by_index=(first, width - 1))[1]
    return np.ascontiguousarray(axes, np.float32)
