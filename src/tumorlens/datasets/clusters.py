r"""Infers clusters of near-duplicate slices where no patient is known. A cluster is not a patient.

Average linkage (Sokal and Michener, 1958) on the correlation of thumbnails, cut at a threshold. The
mean correlation between two clusters is the dot product of their summed unit thumbnails,

.. math:: \bar r(A, B) = \frac{\sum_{a \in A} u_a \cdot \sum_{b \in B} u_b}{|A|\,|B|},

so no matrix of all pairs is needed; and a mean above the threshold needs one pair above it, so only
clusters joined by such a pair are ever compared. The result equals the textbook method's.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.neighbours import similar_pairs, unit_thumbnails
from tumorlens.errors import InputError

__all__ = ["CLUSTER_THRESHOLD", "cluster_scans", "cluster_units"]

CLUSTER_THRESHOLD = 0.94
"""Correlation of thumbnails above which two scans count as near-twins."""

_MOST_PAIRS = 10_000_000


def cluster_scans(thumbnails: npt.NDArray[np.uint8], *, threshold: float = CLUSTER_THRESHOLD) -> npt.NDArray[np.int64]:
    """Group near-duplicate scans.

    Args:
        thumbnails: ``(n, h, w)`` uint8, one a scan.
        threshold: Mean correlation that two clusters must exceed to become one, in 0..1.

    Returns:
        ``(n,)`` int64: cluster numbers 0, 1, … in order of first appearance.

    Raises:
        InputError: The scans are so alike that the pairs do not fit in memory.
    """
    return cluster_units(unit_thumbnails(thumbnails), threshold=threshold)[0]


def cluster_units(
    units: npt.NDArray[np.float32], *, threshold: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Like :func:`cluster_scans` for unit thumbnails, which are overwritten.

    Returns:
        Cluster numbers ``(n,)``, and whether each scan has a neighbour above the threshold.
    """
    first, second, correlation = _collect_pairs(units, threshold=threshold)
    near_twin = np.zeros(len(units), bool)
    near_twin[first] = near_twin[second] = True
    owners = _Linkage(units, first, second, correlation, threshold=threshold).run()
    return _number_by_appearance(owners), near_twin


def _collect_pairs(
    units: npt.NDArray[np.float32], *, threshold: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Gather the pairs above the threshold, the most alike first."""
    blocks, count = [], 0
    for block in similar_pairs(units, above=threshold):
        blocks.append(block)
        count += len(block[0])
        if count > _MOST_PAIRS:
            raise InputError(
                f"More than {_MOST_PAIRS:,} pairs of scans are near-twins, too many to infer clusters: "
                "name the patients with --group-column or --group-pattern."
            )
    if not blocks:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    first, second, correlation = (np.concatenate(column) for column in zip(*blocks, strict=True))
    order = np.argsort(-correlation, kind="stable")
    return first[order], second[order], correlation[order]


class _Linkage:
    """Average linkage over a sparse graph of near-twins.

    A cluster is known by one of its scans. Its version rises when it grows, and for good when it is
    absorbed, so that candidates found before are recognised as out of date.
    """

    def __init__(
        self,
        sums: npt.NDArray[np.float32],
        first: npt.NDArray[np.int64],
        second: npt.NDArray[np.int64],
        correlation: npt.NDArray[np.float32],
        *,
        threshold: float,
    ) -> None:
        self._sums = sums
        self._first, self._second, self._correlation = first, second, correlation
        self._threshold = threshold
        self._near = _adjacency(first, second, count=len(sums))
        self._owner = np.arange(len(sums))
        self._members = [np.array([index]) for index in range(len(sums))]
        self._size = np.ones(len(sums))
        self._version = [0] * len(sums)
        self._heap: list[tuple[float, int, int, int, int]] = []

    def run(self) -> npt.NDArray[np.int64]:
        """Merge until no two clusters exceed the threshold; return each scan's cluster."""
        for a, b in self._candidates():
            self._merge(a, b)
        return self._owner

    def _candidates(self) -> Iterator[tuple[int, int]]:
        """Yield the most alike two clusters, again and again: pairs of scans, or of what they became."""
        place = 0
        while self._heap or place < len(self._first):
            pair = -float(self._correlation[place]) if place < len(self._first) else np.inf
            if self._heap and self._heap[0][0] <= pair:
                _, a, b, version_a, version_b = heapq.heappop(self._heap)
            else:
                a, b, version_a, version_b = int(self._first[place]), int(self._second[place]), 0, 0
                place += 1
            if self._version[a] == version_a and self._version[b] == version_b:
                yield a, b

    def _merge(self, a: int, b: int) -> None:
        self._sums[a] += self._sums[b]
        self._size[a] += self._size[b]
        self._owner[self._members[b]] = a
        self._members[a] = np.concatenate([self._members[a], self._members[b]])
        self._version[a] += 1
        self._version[b] += 1
        near = np.unique(self._owner[np.concatenate([self._near[a], self._near[b]])])
        self._near[a] = near[near != a]
        self._members[b] = self._near[b] = np.empty(0, np.int64)
        self._push(a)

    def _push(self, cluster: int) -> None:
        near = self._near[cluster]
        means = self._sums[near] @ self._sums[cluster] / (self._size[near] * self._size[cluster])
        above = means > self._threshold
        for other, mean in zip(near[above].tolist(), means[above].tolist(), strict=True):
            entry = (-mean, cluster, other, self._version[cluster], self._version[other])
            heapq.heappush(self._heap, entry)


def _adjacency(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], *, count: int
) -> list[npt.NDArray[np.int64]]:
    """List each scan's near-twins."""
    ends = np.concatenate([first, second])
    others = np.concatenate([second, first])[np.argsort(ends, kind="stable")]
    return np.split(others, np.cumsum(np.bincount(ends, minlength=count))[:-1])


def _number_by_appearance(owners: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    _, first, inverse = np.unique(owners, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
