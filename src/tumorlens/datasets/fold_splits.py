"""Splits for a cross-validation in which every fold has its own train, validation and calibration parts.

Each fold's test part is one fold of the groups; what is left of the groups is divided anew. Knows nothing about models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.grouped_folds import assign_folds
from tumorlens.datasets.grouped_split import assign_groups
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.datasets.split import LEFT_OUT, Protocol, Split, make_split
from tumorlens.datasets.split_check import check_split

__all__ = ["FOLD_FRACTIONS", "leave_out_alike", "leave_out_at_random", "split_folds"]

FOLD_FRACTIONS: Mapping[str, float] = {"train": 0.775, "validation": 0.125, "calibration": 0.10}
"""Shares of what a fold does not test. In five folds: 62, 10 and 8 % of all scans."""


def split_folds(
    dataset: Dataset,
    units: npt.NDArray[np.int64],
    *,
    folds: int = 5,
    seed: int = 0,
    fractions: Mapping[str, float] = FOLD_FRACTIONS,
) -> list[Split]:
    """Make one split a fold; every scan stands in exactly one test part.

    Args:
        dataset: What is split.
        units: ``(n,)`` numbers 0..units-1 of what stays whole; copies and groups of the data set must lie in one unit.
        folds: Number of folds, at least 2.
        seed: Same seed, same splits.
        fractions: Share of train, validation and calibration in what is not tested; sums to 1.

    Raises:
        InputError: The units cannot be divided so that every part holds every class.
    """
    of_row = assign_folds(
        dataset.labels, units, classes=dataset.classes, folds=folds, seed=seed, unit=dataset.groups_are
    )
    names = np.array(list(fractions))
    shares = np.array(list(fractions.values()))
    splits = []
    for fold in range(folds):
        parts = np.full(len(dataset), "test", dtype="<U11")
        rest = np.flatnonzero(of_row != fold)
        codes = np.unique(units[rest], return_inverse=True)[1]
        counts = np.zeros((int(codes.max()) + 1, len(dataset.classes)), np.int64)
        np.add.at(counts, (codes, dataset.labels[rest]), 1)
        parts[rest] = names[assign_groups(counts, fractions=shares, seed=seed + fold)[codes]]
        splits.append(_checked(dataset, parts, protocol="grouped", seed=seed))
    return splits


def leave_out_alike(dataset: Dataset, split: Split, *, above: float = 0.95) -> Split:
    """Leave out every scan that resembles a test scan, so that no neighbour helps.

    Args:
        dataset: What the split divides.
        split: A split by group.
        above: Correlation of thumbnails, -1..1, above which a scan of any other part is left out.

    Returns:
        The split of the protocol ``strict``.

    Raises:
        InputError: So many are left out that a part lacks a class.
    """
    thumbnails = dataset.thumbnails()
    outside = np.flatnonzero(split.parts != "test")
    best = nearest_similarity(thumbnails[outside], thumbnails[split.rows("test")])
    return _without(dataset, split, outside[best > above], protocol="strict")


def leave_out_at_random(dataset: Dataset, split: Split, *, like: Split, seed: int = 0) -> Split:
    """Leave out as many scans of each part and class as ``like`` does, drawn at random: the control of ``strict``.

    Args:
        dataset: What the splits divide.
        split: The split that ``like`` was made of.
        like: From :func:`leave_out_alike`.
        seed: Seed of the draw.
    """
    random = np.random.default_rng(seed)
    gone = like.parts == LEFT_OUT
    drawn = []
    for part in ("train", "validation", "calibration"):
        for code in range(len(dataset.classes)):
            rows = np.flatnonzero((split.parts == part) & (dataset.labels == code))
            drawn.append(random.choice(rows, int(gone[rows].sum()), replace=False))
    return _without(dataset, split, np.concatenate(drawn), protocol="grouped")


def _without(
    dataset: Dataset, split: Split, rows: npt.NDArray[np.int64], *, protocol: Literal["grouped", "strict"]
) -> Split:
    parts = split.parts.copy()
    parts[rows] = LEFT_OUT
    return _checked(dataset, parts, protocol=protocol, seed=split.seed)


def _checked(dataset: Dataset, parts: npt.NDArray[np.str_], *, protocol: Protocol, seed: int | None) -> Split:
    split = make_split(
        parts, pixel_digests=dataset.digests, protocol=protocol, seed=seed, groups_are=dataset.groups_are
    )
    check_split(dataset, split)
    return split
