"""Near-twins whose labels disagree. Knows nothing about which of the two is wrong.

Neighbouring slices at the edge of a tumour rightly differ in their labels, so a neighbour counts only where it is as
good as the same slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tumorlens.audit.findings import LabelConflict, Twin
from tumorlens.audit.twin_table import KINDS, TwinTable
from tumorlens.datasets.dataset import Dataset

__all__ = ["CONFLICT_SIMILARITY", "label_conflicts"]

CONFLICT_SIMILARITY = 0.995
"""A neighbour with another label is a conflict only above this similarity."""


def label_conflicts(dataset: Dataset, pairs: Sequence[Twin]) -> tuple[LabelConflict, ...]:
    """Find the near-twins whose labels disagree.

    Copies and mirrored copies always count; neighbours above :data:`CONFLICT_SIMILARITY`.

    Args:
        dataset: The scans with their labels.
        pairs: All twins of the data set, from :func:`~tumorlens.audit.twins.find_scan_twins`.

    Returns:
        The most alike first: exact copies, copies, mirrored copies, neighbours, each by similarity.
    """
    table = TwinTable.of(pairs)
    labels = dataset.manifest["label"].to_numpy(dtype=np.str_)
    differ = labels[table.first] != labels[table.second]
    close = (table.kind != KINDS.index("neighbour")) | (table.similarity > CONFLICT_SIMILARITY)
    table = table.take(differ & close)
    return tuple(
        LabelConflict(twin, (str(labels[twin.first]), str(labels[twin.second])))
        for twin in table.take(table.closest_first())
    )
