"""Finds copies and near-twins, in one data set or between two. Knows nothing about what they do to a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tumorlens.audit.findings import Twin, Twins
from tumorlens.audit.twin_examples import telling_examples
from tumorlens.audit.twin_kinds import FineStore, judge_pairs
from tumorlens.audit.twin_table import KINDS, TwinTable
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.similarity import find_twins, find_twins_between
from tumorlens.progress import SILENT, Progress

__all__ = ["find_scan_twins", "find_twins_against", "summarise_twins"]

_EXACT = KINDS.index("exact")
_CLUSTERS_SHOWN = 8


def find_scan_twins(dataset: Dataset, *, progress: Progress = SILENT) -> TwinTable:
    """Find all twins of a data set, each pair once.

    Exact copies are given as the first row with the same pixels and the copy; other pairs stand between the first rows
    of two contents, so that copies do not multiply them.

    Args:
        dataset: The scans.
        progress: Told about the search and the comparison.

    Returns:
        Pairs of row ids, a sequence of :class:`~tumorlens.audit.findings.Twin`.

    Raises:
        IntegrityError: Thumbnails or pixels are damaged.
    """
    rows = _distinct_rows(dataset)
    pairs = find_twins(dataset.distinct_thumbnails(), progress=progress)
    with dataset.open_pixels() as store:
        fine = FineStore(store, dataset.digests[rows])
        kinds = judge_pairs(pairs, fine, fine, progress=progress)
    copy_of = dataset.manifest["copy_of"].to_numpy()
    copies = np.flatnonzero(copy_of != -1)
    return TwinTable(
        np.concatenate([copy_of[copies], rows[pairs.first]]).astype(np.int64),
        np.concatenate([copies, rows[pairs.second]]).astype(np.int64),
        np.concatenate([np.full(len(copies), _EXACT, np.int8), kinds]),
        np.concatenate([np.ones(len(copies), np.float32), pairs.similarity]),
    )


def find_twins_against(dataset: Dataset, other: Dataset, *, progress: Progress = SILENT) -> TwinTable:
    """Find the twins between two data sets, a pair for each two contents.

    Args:
        dataset: ``first`` is a row of it.
        other: ``second`` is a row of it.
        progress: Told about the search and the comparison.

    Raises:
        IntegrityError: Thumbnails or pixels are damaged.
    """
    rows, other_rows = _distinct_rows(dataset), _distinct_rows(other)
    digests, other_digests = dataset.digests[rows], other.digests[other_rows]
    _, mine, theirs = np.intersect1d(digests, other_digests, assume_unique=True, return_indices=True)
    pairs = find_twins_between(dataset.distinct_thumbnails(), other.distinct_thumbnails(), progress=progress)
    pairs = pairs.take(digests[pairs.first] != other_digests[pairs.second])
    with dataset.open_pixels() as store, other.open_pixels() as other_store:
        kinds = judge_pairs(pairs, FineStore(store, digests), FineStore(other_store, other_digests), progress=progress)
    return TwinTable(
        np.concatenate([rows[mine], rows[pairs.first]]).astype(np.int64),
        np.concatenate([other_rows[theirs], other_rows[pairs.second]]).astype(np.int64),
        np.concatenate([np.full(len(mine), _EXACT, np.int8), kinds]),
        np.concatenate([np.ones(len(mine), np.float32), pairs.similarity]),
    )


def summarise_twins(dataset: Dataset, pairs: Sequence[Twin]) -> Twins:
    """Count the scans with twins and choose pairs to show.

    Clusters are the data set's own where its groups are clusters, else the scans linked by copies of any kind.

    Args:
        dataset: The scans.
        pairs: All its twins, from :func:`find_scan_twins`.
    """
    table = TwinTable.of(pairs)
    places = dataset.thumbnail_rows()
    copies = np.bincount(places)
    closest = np.full(len(copies), len(KINDS), np.int64)
    np.minimum.at(closest, places[table.first], table.kind)
    np.minimum.at(closest, places[table.second], table.kind)
    counts = np.bincount(closest[places], minlength=len(KINDS) + 1)
    clusters = _clusters(dataset, table)
    sizes = np.bincount(clusters)
    largest = [number for number in np.argsort(-sizes, kind="stable")[:_CLUSTERS_SHOWN] if sizes[number] > 1]
    return Twins(
        exact_groups=int((copies > 1).sum()),
        scans_in_copies=int(copies[copies > 1].sum()),
        near_twins=int(counts[: len(KINDS)].sum()),
        by_kind=dict(zip(KINDS, counts.tolist(), strict=False)),
        clusters=len(sizes),
        largest=tuple(tuple(np.flatnonzero(clusters == number).tolist()) for number in largest),
        examples=telling_examples(table, dataset),
    )


def _distinct_rows(dataset: Dataset) -> npt.NDArray[np.int64]:
    return np.flatnonzero(dataset.manifest["copy_of"].to_numpy() == -1)


def _clusters(dataset: Dataset, table: TwinTable) -> npt.NDArray[np.int64]:
    """Number each row's cluster, ``(n,)``."""
    if dataset.groups_are == "clusters":
        _, numbers = np.unique(dataset.groups, return_inverse=True)
        return np.asarray(numbers, np.int64)
    linked = table.take(table.kind != KINDS.index("neighbour"))
    size = len(dataset)
    links = coo_array((np.ones(len(linked)), (linked.first, linked.second)), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)
