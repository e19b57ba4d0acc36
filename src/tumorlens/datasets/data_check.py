"""The short data check: the numbers to know before any figure is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.record import GroupKind

__all__ = ["DataCheck", "short_check"]


@dataclass(frozen=True)
class DataCheck:
    """Numbers about a data set.

    Attributes:
        scans: Rows of the manifest.
        distinct: Different pixel contents.
        exact_groups: Contents that occur more than once.
        scans_in_copies: Scans that hold one of these.
        near_twins: Scans with an upright twin above the correlation threshold, copies included; ``None``
            if an older version that imported them did not count.
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


def short_check(dataset: Dataset) -> DataCheck:
    """Gather copies, near-twins, groups and classes: what the import found, and no scan is looked at again."""
    copies = np.bincount(dataset.thumbnail_rows())
    return DataCheck(
        scans=len(dataset),
        distinct=len(copies),
        exact_groups=int((copies > 1).sum()),
        scans_in_copies=int(copies[copies > 1].sum()),
        near_twins=dataset.record.near_twins,
        groups=dataset.record.groups,
        groups_are=dataset.groups_are,
        by_class=dict(dataset.record.flow.by_class),
    )
