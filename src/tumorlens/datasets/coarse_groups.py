"""Joins clusters into fewer, coarser groups, for a test that leaves scans less to be recognised by.

Clusters of near-duplicates are pieces of heads: slices of one patient may lie in several. Coarser groups keep more of
them together, at the price of joining patients who look alike, which does no harm to a split. They are not patients
either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tumorlens.datasets.similarity.likeness import Likeness
from tumorlens.errors import InputError

__all__ = ["COARSE_GROUPS", "join_groups"]

COARSE_GROUPS = 240
"""How many coarser groups are made by default."""

_MOST_UNITS = 10_000
_ROWS = 512


def join_groups(
    thumbnails: npt.NDArray[np.uint8], units: npt.NDArray[np.int64], *, count: int = COARSE_GROUPS
) -> npt.NDArray[np.int64]:
    """Join groups until ``count`` are left.

    Two groups are as alike as their likeliest scans (:mod:`tumorlens.datasets.similarity.likeness`); groups are joined
    by complete linkage, so that none grows into a chain of all scans.

    Args:
        thumbnails: ``(n, side, side)`` uint8.
        units: ``(n,)`` numbers 0..units-1: what stays whole.
        count: Groups wanted, at least 1; with no more units than that, nothing is joined.

    Returns:
        ``(n,)`` int64: numbers 0..groups-1.

    Raises:
        InputError: There are more than 10,000 units: their table of likeness would not fit into memory.
    """
    known = int(units.max()) + 1
    if known > _MOST_UNITS:
        raise InputError(
            f"Joining groups takes at most {_MOST_UNITS:,} of them, got {known:,}: use the clusters as they are."
        )
    if known <= count:
        return units
    distances = 1.0 - _between_units(thumbnails, units, known)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), method="complete")
    joined = fcluster(tree, count, criterion="maxclust")
    return np.unique(joined, return_inverse=True)[1][units].astype(np.int64)


def _between_units(
    thumbnails: npt.NDArray[np.uint8], units: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    """``(count, count)``: the highest likeness of a scan of one unit and one of the other."""
    order = np.argsort(units, kind="stable")
    starts = np.searchsorted(units[order], np.arange(count))
    rows = Likeness(thumbnails).rows(order)
    by_scan = np.concatenate(
        [
            np.maximum.reduceat(rows[start : start + _ROWS] @ rows.T, starts, axis=1)
            for start in range(0, len(rows), _ROWS)
        ]
    )
    found = np.maximum.reduceat(by_scan, starts, axis=0).astype(np.float64)
    return np.maximum(found, found.T)
