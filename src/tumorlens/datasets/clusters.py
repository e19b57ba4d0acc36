"""Infers clusters of near-duplicate slices where no patient is known. A cluster is not a patient.

Two scans of almost surely one head (likeness above 0.895, more than any two heads of the tuning set had) are joined,
turned and mirrored copies included. That leaves pieces of heads. Two pieces are joined as well where they are the
likeliest for each other: by two scans whose likeness exceeds 0.84, each among the other's four nearest, and each piece
among the other's two nearest. So a chain of slices becomes one cluster, while no scan pulls in all that resembles it.

The lower threshold is the smallest, in steps of 0.005, at which at most 1 % of the clusters of the tuning set mixed
patients (synthetic patients, default deformation, slices 1, 3 and 5 mm apart); ``benchmarks/clusters.py`` measures
what that keeps on patients deformed otherwise.
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

LIKELY = 0.84
"""Likeness above which two pieces are joined where nothing is likelier."""

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
    certain = links.likeness > sure
    pieces = _components(links.first[certain], links.second[certain], count=count)
    near = _mutual(links.first, links.second, links.likeness, most=_NEAREST_SCANS)
    first, second, likeness = _between_pieces(links, pieces, near)
    joined = _mutual(first, second, likeness, most=_NEAREST_PIECES)
    wholes = _components(first[joined], second[joined], count=count)
    return _number_by_appearance(wholes[pieces])


def _between_pieces(
    links: Links, pieces: _Numbers, chosen: npt.NDArray[np.bool_]
) -> tuple[_Numbers, _Numbers, npt.NDArray[np.float32]]:
    """The chosen links as links of pieces: each pair of pieces once, with its highest likeness."""
    chosen = chosen & (pieces[links.first] != pieces[links.second])
    one, other = pieces[links.first[chosen]], pieces[links.second[chosen]]
    first, second, likeness = np.minimum(one, other), np.maximum(one, other), links.likeness[chosen]
    order = np.lexsort((-likeness, second, first))
    pairs = np.stack([first[order], second[order]])
    new = np.ones(len(order), bool)
    new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    return pairs[0, new], pairs[1, new], likeness[order][new]


def _mutual(
    first: _Numbers, second: _Numbers, likeness: npt.NDArray[np.float32], *, most: int
) -> npt.NDArray[np.bool_]:
    """Which links are among the ``most`` likeliest at both ends."""
    ends = np.concatenate([first, second])
    order = np.lexsort((-np.concatenate([likeness, likeness]), ends))
    sorted_ends = ends[order]
    rank = np.empty(len(ends), np.int64)
    rank[order] = np.arange(len(ends)) - np.searchsorted(sorted_ends, sorted_ends)
    return np.asarray((rank < most).reshape(2, -1).all(axis=0))


def _components(first: _Numbers, second: _Numbers, *, count: int) -> _Numbers:
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _number_by_appearance(owners: _Numbers) -> _Numbers:
    _, first, inverse = np.unique(owners, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)
