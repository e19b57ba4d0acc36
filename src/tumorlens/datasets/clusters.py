"""Infers clusters of near-duplicate slices where no patient is known. A cluster is not a patient.

Two scans of almost surely one head (likeness above 0.895; two heads of the tuning set reached 0.878) are joined, turned
and mirrored copies included. That leaves pieces of heads. Two pieces are joined as well where they are the likeliest
for each other: by two scans whose likeness exceeds 0.855, each among the other's four nearest (a scan and its copies
counting as one), and each piece among the other's two nearest. So a chain of slices becomes one cluster, while no scan
pulls in all that resembles it.

The lower threshold is the smallest, in steps of 0.005, at which at most 1 % of the clusters of the tuning set mixed
patients: synthetic patients, default deformation, slices 1, 3 and 5 mm apart, a tenth of them copied.
``benchmarks/clusters.py`` measures what that keeps there, and on patients deformed otherwise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tumorlens.datasets.neighbours import CLUSTER_THRESHOLD
from tumorlens.datasets.similarity.links import Links, find_links
from tumorlens.progress import SILENT, Progress

__all__ = ["CLUSTER_THRESHOLD", "LIKELY", "SURE", "cluster_links", "cluster_scans"]

SURE = 0.895
"""Likeness above which two scans are always joined."""

LIKELY = 0.855
"""Likeness above which two pieces are joined where nothing is likelier."""

_COPY = 0.97
"""Likeness above which two scans count as copies when the nearest are counted."""

_NEAREST_SCANS = 4
_NEAREST_PIECES = 2

_Numbers = npt.NDArray[np.int64]


def cluster_scans(thumbnails: npt.NDArray[np.uint8], *, progress: Progress = SILENT) -> _Numbers:
    """Group scans that look like slices of one head.

    Args:
        thumbnails: ``(n, side, side)`` uint8, one a scan.
        progress: Told how far the comparison is.

    Returns:
        ``(n,)`` int64: cluster numbers 0, 1, … in order of first appearance.
    """
    links = find_links(thumbnails, above=LIKELY, turned_above=SURE, progress=progress)
    return cluster_links(links, count=len(thumbnails))


def cluster_links(links: Links, *, count: int, sure: float = SURE) -> _Numbers:
    """Join scans by their links.

    Args:
        links: Pairs and their likeness, all above the lower threshold.
        count: Number of scans n.
        sure: Likeness above which two scans are always joined.

    Returns:
        ``(n,)`` int64: cluster numbers 0, 1, … in order of first appearance.
    """
    pieces = _components(links, links.likeness > sure, count=count)
    copies = _components(links, links.turned | (links.likeness > _COPY), count=count)
    between_copies = _lift(links, copies)
    chosen = _take(between_copies, _mutual(between_copies, most=_NEAREST_SCANS))
    piece_of_copies = np.empty(count, np.int64)
    piece_of_copies[copies] = pieces
    between_pieces = _lift(chosen, piece_of_copies)
    wholes = _components(between_pieces, _mutual(between_pieces, most=_NEAREST_PIECES), count=count)
    return _number_by_appearance(wholes[pieces])


def _lift(links: Links, owners: _Numbers) -> Links:
    """Links of scans as links of their owners: each pair once, with its highest likeness."""
    one, other = owners[links.first], owners[links.second]
    first, second = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((-links.likeness, second, first))
    order = order[first[order] != second[order]]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)
    kept = order[new]
    return Links(first[kept], second[kept], links.likeness[kept], links.turned[kept])


def _take(links: Links, chosen: npt.NDArray[np.bool_]) -> Links:
    return Links(links.first[chosen], links.second[chosen], links.likeness[chosen], links.turned[chosen])


def _mutual(links: Links, *, most: int) -> npt.NDArray[np.bool_]:
    """Which links are among the ``most`` likeliest at both ends."""
    ends = np.concatenate([links.first, links.second])
    order = np.lexsort((-np.concatenate([links.likeness, links.likeness]), ends))
    sorted_ends = ends[order]
    rank = np.empty(len(ends), np.int64)
    rank[order] = np.arange(len(ends)) - np.searchsorted(sorted_ends, sorted_ends)
    return np.asarray((rank < most).reshape(2, -1).all(axis=0))


def _components(links: Links, chosen: npt.NDArray[np.bool_], *, count: int) -> _Numbers:
    ends = links.first[chosen], links.second[chosen]
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _number_by_appearance(owners: _Numbers) -> _Numbers:
    _, first, inverse = np.unique(owners, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)
