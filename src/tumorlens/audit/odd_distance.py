"""How far each scan is from all others, in a network's features or in thumbnails.

Knows nothing about labels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["neighbour_distances", "robust_scores"]

_NEIGHBOURS = 5
_MOST_REFERENCES = 10_000
_CHUNK = 512


def neighbour_distances(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    r"""Mean distance of each vector to its five nearest others.

    The distance is :math:`\sqrt{2 - 2 \cos(a, b)}`. Above 10,000 vectors the others are an even sample of that many, so
    that the work grows in proportion to the number of scans.

    Args:
        vectors: ``(n, d)`` float32.

    Returns:
        ``(n,)`` float64 in 0..2; zeros where there are fewer than two.
    """
    count = len(vectors)
    if count < 2:
        return np.zeros(count)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_REFERENCES)).astype(np.int64))
    references = units[chosen]
    column = np.full(count, -1, np.int64)
    column[chosen] = np.arange(len(chosen))
    kept = min(_NEIGHBOURS, len(chosen) - 1)
    means = np.empty(count)
    for start in range(0, count, _CHUNK):
        cosines = units[start : start + _CHUNK] @ references.T
        own = column[start : start + _CHUNK]
        cosines[np.flatnonzero(own >= 0), own[own >= 0]] = -2
        nearest = -np.partition(-cosines, kept - 1, axis=1)[:, :kept]
        means[start : start + _CHUNK] = np.sqrt(np.maximum(2 - 2 * nearest.astype(np.float64), 0)).mean(axis=1)
    return means


def robust_scores(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Express values as multiples of the usual spread above the median (median absolute deviation times 1.4826).

    Args:
        values: ``(n,)`` float64.

    Returns:
        ``(n,)`` float64; zeros where at least half of the values are equal.
    """
    if not len(values):
        return np.zeros(0)
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    return (values - middle) / spread if spread > 0 else np.zeros(len(values))
