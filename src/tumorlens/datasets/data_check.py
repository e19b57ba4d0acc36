"""The short data check: the numbers to know before any figure is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorlens.datasets.clusters import CLUSTER_THRESHOLD
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.neighbours import similar_pairs, unit_thumbnails
from tumorlens.datasets.record import GroupKind

__all__ = ["DataCheck", "short_check"]


_MOST_COUNTED = 10_000


@dataclass(frozen=True)
class DataCheck:
    """Numbers about a data set.

    Attributes:
        scans: Rows of the manifest.
        distinct: Different pixel contents.
        exact_groups: Contents that occur more than once.
        scans_in_copies: Scans that hold one of these.
        near_twins: Scans with another above the correlation threshold, copies included; ``None``
            if it was not counted.
        groups: Number of groups.
        groups_are: ``"patients"`` or ``"clusters"``.
        by_class: Scans of each class, in class order.
    """

    scans: int
    distinct: int
    exact_groups: int
    scans_in_copies: int
    near_twins: int | None
    groups: int
    groups_are: GroupKind
    by_class: dict[str, int]


def short_check(dataset: Dataset, *, count_near_twins: bool = True) -> DataCheck:
    """Count copies, near-twins, groups and classes.

    Args:
        dataset: What to check.
        count_near_twins: Whether near-twins are counted where the import did not (it did unless
            patients were given). The work grows with the square of the number of scans; above
            10,000 distinct ones it is left out.
    """
    copies = np.bincount(dataset.thumbnail_rows())
    near_twins = dataset.record.near_twins
    if near_twins is None and count_near_twins and len(copies) <= _MOST_COUNTED:
        near_twins = _count_near_twins(dataset, copies)
    return DataCheck(
        scans=len(dataset),
        distinct=len(copies),
        exact_groups=int((copies > 1).sum()),
        scans_in_copies=int(copies[copies > 1].sum()),
        near_twins=near_twins,
        groups=dataset.record.groups,
        groups_are=dataset.groups_are,
        by_class=dict(dataset.record.flow.by_class),
    )


def _count_near_twins(dataset: Dataset, copies: np.ndarray) -> int:
    near = copies > 1
    units = unit_thumbnails(dataset.distinct_thumbnails())
    for first, second, _ in similar_pairs(units, above=CLUSTER_THRESHOLD):
        near[first] = near[second] = True
    return int(copies[near].sum())
