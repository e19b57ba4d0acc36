"""How alike scans are: the correlation of their thumbnails, in chunks that fit in memory.

Neighbouring slices of one patient correlate above 0.94; a test scan with such a neighbour in
training is a leak. Knows nothing about labels or groups.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["best_correlation", "similar_pairs", "unit_thumbnails"]

_CHUNK_ROWS = 1024


def unit_thumbnails(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Centre each thumbnail and scale it to length 1, so that a dot product is a correlation.

    Args:
        thumbnails: ``(n, h, w)`` uint8.

    Returns:
        ``(n, h * w)`` float32; a thumbnail of one colour becomes zeros and correlates with none.
    """
    units = np.empty((len(thumbnails), thumbnails[0].size if len(thumbnails) else 0), np.float32)
    for start in range(0, len(thumbnails), _CHUNK_ROWS):
        block = thumbnails[start : start + _CHUNK_ROWS].reshape(-1, units.shape[1])
        centred = block.astype(np.float64)
        centred -= centred.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        units[start : start + _CHUNK_ROWS] = centred / np.where(length > 0, length, 1)
    return units


def similar_pairs(
    units: npt.NDArray[np.float32], *, above: float
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    """Yield the pairs that correlate above a threshold, chunk by chunk.

    Args:
        units: ``(n, d)`` from :func:`unit_thumbnails`.
        above: Correlation that a pair must exceed.

    Yields:
        First index, second index (always the larger) and correlation, ``(pairs,)`` each.
    """
    for start in range(0, len(units), _CHUNK_ROWS):
        products = units[start : start + _CHUNK_ROWS] @ units[start:].T
        first, second = np.nonzero(products > above)
        later = second > first
        first, second = first[later], second[later]
        yield first + start, second + start, products[first, second]


def best_correlation(queries: npt.NDArray[np.float32], references: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return for each query its highest correlation with any reference.

    Args:
        queries: ``(q, d)`` from :func:`unit_thumbnails`.
        references: ``(r, d)``, at least one.

    Returns:
        ``(q,)`` float32 in -1..1.
    """
    best = np.full(len(queries), -1, np.float32)
    for start in range(0, len(queries), _CHUNK_ROWS):
        chunk = queries[start : start + _CHUNK_ROWS]
        for offset in range(0, len(references), 8 * _CHUNK_ROWS):
            products = chunk @ references[offset : offset + 8 * _CHUNK_ROWS].T
            rows = best[start : start + _CHUNK_ROWS]
            np.maximum(rows, products.max(axis=1), out=rows)
    return best
