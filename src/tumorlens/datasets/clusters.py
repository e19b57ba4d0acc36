r"""Infers clusters of near-duplicate slices where no patient is known. A cluster is not a patient.

Average linkage (Sokal and Michener, 1958) on the correlation of thumbnails, cut at a threshold. The
mean correlation between two clusters is the dot product of their summed unit thumbnails,

.. math:: \bar r(A, B) = \frac{\sum_{a \in A} u_a \cdot \sum_{b \in B} u_b}{|A|\,|B|},

so no matrix of all pairs is needed; and a mean above the threshold needs one pair above it, so only
clusters joined by such a pair are ever compared. The result equals the textbook method's.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.neighbours import similar_pairs, unit_thumbnails
from tumorlens.errors import InputError

__all__ = ["CLUSTER_THRESHOLD", "cluster_scans", "cluster_units"]

CLUSTER_THRESHOLD = 0.94
"""Correlation of thumbnails above which two scans count as near-twins."""

_MOST_PAIRS = 20_000_000


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
    pairs = _collect_pairs(units, threshold=threshold)
    linkage = _Linkage(units, threshold=threshold)
    near_twin = np.zeros(len(units), bool)
    for first, second, correlation in pairs:
        near_twin[first] = near_twin[second] = True
        linkage.connect(first.tolist(), second.tolist(), correlation.tolist())
    return _renumber(linkage.run()), near_twin


def _collect_pairs(
    units: npt.NDArray[np.float32], *, threshold: float
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    pairs, count = [], 0
    for block in similar_pairs(units, above=threshold):
        pairs.append(block)
        count += len(block[0])
        if count > _MOST_PAIRS:
            raise InputError(
                f"More than {_MOST_PAIRS // 10**6} million pairs of scans are near-twins, too many "
                "to infer clusters: name the patients with --group-column or --group-pattern."
            )
    return pairs


class _Linkage:
    """Average linkage over a sparse graph; a merged cluster gets a new number, the old ones end."""

    def __init__(self, sums: npt.NDArray[np.float32], *, threshold: float) -> None:
        self._sums = sums
        self._threshold = threshold
        self._row = list(range(len(sums)))
        self._size = [1] * len(sums)
        self._members: list[list[int]] = [[index] for index in range(len(sums))]
        self._near: dict[int, set[int]] = {index: set() for index in range(len(sums))}
        self._heap: list[tuple[float, int, int]] = []

    def connect(self, first: list[int], second: list[int], correlation: list[float]) -> None:
        for a, b, value in zip(first, second, correlation, strict=True):
            self._near[a].add(b)
            self._near[b].add(a)
            self._heap.append((-value, a, b))

    def run(self) -> list[list[int]]:
        heapq.heapify(self._heap)
        while self._heap:
            _, a, b = heapq.heappop(self._heap)
            if a in self._near and b in self._near:
                self._merge(a, b)
        return [self._members[cluster] for cluster in self._near]

    def _merge(self, a: int, b: int) -> None:
        merged = len(self._row)
        near = (self._near.pop(a) | self._near.pop(b)) - {a, b}
        self._sums[self._row[a]] += self._sums[self._row[b]]
        self._row.append(self._row[a])
        self._size.append(self._size[a] + self._size[b])
        self._members.append(self._members[a] + self._members[b])
        self._near[merged] = near
        others = sorted(near)
        for other in others:
            self._near[other] -= {a, b}
            self._near[other].add(merged)
        self._push(merged, others)

    def _push(self, merged: int, others: list[int]) -> None:
        products = self._sums[[self._row[o] for o in others]] @ self._sums[self._row[merged]]
        sizes = np.array([self._size[o] for o in others]) * self._size[merged]
        for other, value in zip(others, (products / sizes).tolist(), strict=True):
            if value > self._threshold:
                heapq.heappush(self._heap, (-value, other, merged))


def _renumber(clusters: list[list[int]]) -> npt.NDArray[np.int64]:
    ordered = sorted(clusters, key=min)
    numbers = np.empty(sum(len(members) for members in clusters), np.int64)
    for number, members in enumerate(ordered):
        numbers[members] = number
    return numbers
