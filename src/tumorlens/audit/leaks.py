"""Test scans with a twin in training: in a published split, in tumorlens' own, or in another data set.

Knows nothing about what such a leak costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import SplitLeaks, Twin
from tumorlens.audit.published_parts import find_published_parts
from tumorlens.audit.twin_examples import telling_examples
from tumorlens.audit.twin_table import KINDS, TwinTable
from tumorlens.audit.twins import find_twins_against
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.split import Split
from tumorlens.progress import SILENT, Progress

__all__ = ["leaks_against", "published_leaks", "split_leaks"]

_EXACT = KINDS.index("exact")


def published_leaks(dataset: Dataset, pairs: Sequence[Twin]) -> SplitLeaks | None:
    """Count the leaks of the split that came with the data.

    The published test part is held against its training part; where there is no test part, the validation part is.

    Args:
        dataset: The scans.
        pairs: All twins of the data set, from :func:`~tumorlens.audit.twins.find_scan_twins`.

    Returns:
        The leaks; ``None`` where no split came with the data.
    """
    parts = find_published_parts(dataset)
    if parts is None:
        return None
    across = _across(dataset, pairs, test=parts.tested, train=parts.trained)
    return _count(dataset, across, test=parts.tested, of=f"the published {parts.held_out} and training parts")


def split_leaks(dataset: Dataset, split: Split, pairs: Sequence[Twin]) -> SplitLeaks:
    """Count the leaks between the test and the train part of a split.

    Args:
        dataset: What is split.
        split: A split of it.
        pairs: All twins of the data set, from :func:`~tumorlens.audit.twins.find_scan_twins`.
    """
    test = split.parts == "test"
    across = _across(dataset, pairs, test=test, train=split.parts == "train")
    made = "the study's split" if split.leaky else f"the split by {split.groups_are}"
    counted = _count(dataset, across, test=test, of=f"the test and training parts of {made}")
    return counted if split.leaky or split.groups_are == "none" else replace(counted, kept_together=split.groups_are)


def leaks_against(dataset: Dataset, other: Dataset, *, progress: Progress = SILENT) -> SplitLeaks:
    """Count the scans of one data set with a twin in another, as if the other had been trained on.

    Args:
        dataset: The test side; ``first`` of every example is a row of it.
        other: The training side; ``second`` of every example is a row of it.
        progress: Told about the search.
    """
    across = find_twins_against(dataset, other, progress=progress)
    everything = np.ones(len(dataset), bool)
    return _count(dataset, across, test=everything, of=f"{dataset.name} against {other.name}", other=other)


def _across(
    dataset: Dataset, pairs: Sequence[Twin], *, test: npt.NDArray[np.bool_], train: npt.NDArray[np.bool_]
) -> TwinTable:
    """Return the pairs of a test scan (first) and a training scan, one pair for each two contents."""
    places = dataset.thumbnail_rows()
    test_row, train_row = _first_rows(places, test), _first_rows(places, train)
    both = np.flatnonzero((test_row >= 0) & (train_row >= 0))
    table = TwinTable.of(pairs)
    table = table.take(table.kind != _EXACT)
    one, two = places[table.first], places[table.second]
    content = np.concatenate([both, one, two])
    partner = np.concatenate([both, two, one])
    kind = np.concatenate([np.full(len(both), _EXACT, np.int8), table.kind, table.kind])
    similarity = np.concatenate([np.ones(len(both), np.float32), table.similarity, table.similarity])
    crossing = (test_row[content] >= 0) & (train_row[partner] >= 0)
    return TwinTable(test_row[content], train_row[partner], kind, similarity).take(crossing)


def _first_rows(places: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return for each distinct content the first row of a part that holds it, or -1."""
    rows = np.full(int(places.max()) + 1, -1, np.int64)
    members = np.flatnonzero(mask)[::-1]
    rows[places[members]] = members
    return rows


def _count(
    dataset: Dataset,
    across: TwinTable,
    *,
    test: npt.NDArray[np.bool_],
    of: str,
    other: Dataset | None = None,
) -> SplitLeaks:
    """Count each test scan, copies one by one, under the closest kind of twin its content has."""
    places = dataset.thumbnail_rows()
    closest = np.full(int(places.max()) + 1, len(KINDS), np.int64)
    np.minimum.at(closest, places[across.first], across.kind)
    counts = np.bincount(closest[places[test]], minlength=len(KINDS) + 1)
    by_kind = dict(zip(KINDS, counts.tolist(), strict=False))
    return SplitLeaks(
        of=of,
        test_scans=int(test.sum()),
        exact=by_kind["exact"],
        near=by_kind["copy"],
        mirrored=by_kind["mirrored"],
        neighbouring=by_kind["neighbour"],
        examples=telling_examples(across, dataset, other),
    )
