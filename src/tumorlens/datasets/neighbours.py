"""Which scans have a near-twin: another whose thumbnail, upright, correlates highly with theirs.

Knows nothing about labels or groups.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.similarity.descriptors import unit_rows
from tumorlens.datasets.similarity.index import make_index

__all__ = ["CLUSTER_THRESHOLD", "has_near_twin"]

CLUSTER_THRESHOLD = 0.94
"""Correlation of thumbnails above which two scans count as near-twins."""

_NEAREST = 8
_BLOCK = 1024


def has_near_twin(thumbnails: npt.NDArray[np.uint8], *, above: float = CLUSTER_THRESHOLD) -> npt.NDArray[np.bool_]:
    """Say of each scan whether another is its near-twin.

    Up to 20,000 scans are all compared; of more, the nearest by an approximate index are.

    Args:
        thumbnails: ``(n, side, side)`` uint8.
        above: Correlation that a near-twin must exceed, -1..1.

    Returns:
        ``(n,)`` bool.
    """
    flat = thumbnails.reshape(len(thumbnails), -1)
    near = np.zeros(len(flat), bool)
    if len(flat) < 2:
        return near

    def rows_of(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        return unit_rows(flat[numbers].astype(np.float32))

    index = make_index(rows_of, len(flat))
    for start in range(0, len(flat), _BLOCK):
        numbers = np.arange(start, min(start + _BLOCK, len(flat)))
        rows = rows_of(numbers)
        found, _ = index.nearest(rows, _NEAREST)
        for column in found.T:
            other = (column >= 0) & (column != numbers)
            similar = np.einsum("ij,ij->i", rows[other], rows_of(column[other])) > above
            near[numbers[other]] |= similar
    return near
