"""Splits by group: no patient or cluster on two sides, each class balanced in every part."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.split import PARTS, Split, make_split
from tumorlens.datasets.split_check import check_split
from tumorlens.errors import InputError

__all__ = ["DEFAULT_FRACTIONS", "assign_groups", "split_by_group", "whole_units"]

DEFAULT_FRACTIONS: Mapping[str, float] = {
    "train": 0.55,
    "validation": 0.15,
    "calibration": 0.10,
    "test": 0.20,
}
"""A fifth for the test, as in the study, so that the intervals can be compared; a tenth for
calibration, which fits one temperature and a few thresholds; validation only chooses between
models and is joined with training for out-of-fold predictions; the rest trains."""

_MOST_MOVES = 2000
_MOST_KINDS = 500


def split_by_group(dataset: Dataset, *, seed: int = 0, fractions: Mapping[str, float] = DEFAULT_FRACTIONS) -> Split:
    """Split a data set into train, validation, calibration and test, whole groups at a time.

    Groups that share a copy of a scan are kept together as well.

    Args:
        dataset: What to split.
        seed: Same seed, same split.
        fractions: Share of the scans wanted in each part; sums to 1.

    Raises:
        InputError: The fractions are wrong, or there are too few groups of a class.
    """
    targets = _check_fractions(fractions)
    units = whole_units(dataset.groups, dataset.digests)
    counts = np.zeros((int(units.max()) + 1, len(dataset.classes)), np.int64)
    np.add.at(counts, (units, dataset.labels), 1)
    _check_enough(dataset, counts)
    assigned = assign_groups(counts, fractions=targets, seed=seed)
    split = make_split(
        np.array(PARTS)[assigned[units]],
        pixel_digests=dataset.digests,
        protocol="grouped",
        seed=seed,
        groups_are=dataset.groups_are,
    )
    check_split(dataset, split)
    return split


def assign_groups(
    counts: npt.NDArray[np.int64], *, fractions: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.int64]:
    r"""Assign groups to parts so that every class is spread as wanted.

    Groups are shuffled and dealt out by their number of scans; then single groups are moved and
    pairs swapped, the most helpful first, while that lowers

    .. math:: \sum_{p,c} (n_{pc} - t_{pc})^2 / t_{pc}

    (scans of class c in part p, and wanted), with a large penalty for a part without a class.
    Dealing at random and mending little leaves large groups to small parts too; placing the largest
    first would give those only small ones, and a test unlike the rest.

    Args:
        counts: ``(groups, classes)`` int64: scans of each class in each group.
        fractions: ``(parts,)`` float64, positive, sums to 1.
        seed: Seed of the order.

    Returns:
        ``(groups,)`` int64: index of each group's part.
    """
    cost = _Cost(counts, fractions)
    assigned = _draw(counts.sum(axis=1), fractions, seed=seed)
    totals = np.zeros((len(fractions), counts.shape[1]), np.int64)
    np.add.at(totals, assigned, counts)
    for _ in range(_MOST_MOVES):
        if not (_move(cost, counts, assigned, totals) or _swap(cost, counts, assigned, totals)):
            break
    return assigned


def _draw(sizes: npt.NDArray[np.int64], fractions: npt.NDArray[np.float64], *, seed: int) -> npt.NDArray[np.int64]:
    """Shuffle groups and cut the row of their scans at the fractions; a group lies at its middle."""
    order = np.random.default_rng(seed).permutation(len(sizes))
    middles = (np.cumsum(sizes[order]) - sizes[order] / 2) / sizes.sum()
    parts = np.searchsorted(np.cumsum(fractions)[:-1], middles, side="right")
    assigned = np.empty(len(sizes), np.int64)
    assigned[order] = parts
    return assigned


class _Cost:
    """How far the class counts of parts are from what is wanted."""

    def __init__(self, counts: npt.NDArray[np.int64], fractions: npt.NDArray[np.float64]) -> None:
        self._targets = np.maximum(np.outer(fractions, counts.sum(axis=0)), 1e-9)
        self._penalty = float(counts.sum())

    def of(self, totals: npt.NDArray[np.int64], part: int | slice = slice(None)) -> npt.NDArray[np.float64]:
        """Cost of each part; ``totals`` is ``(…, parts, classes)``, or ``(…, classes)`` of one."""
        targets = self._targets[part]
        squares = (totals - targets) ** 2 / targets + self._penalty * (totals == 0)
        return squares.sum(axis=-1)


def _move(
    cost: _Cost,
    counts: npt.NDArray[np.int64],
    assigned: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
) -> bool:
    """Move the one group whose move helps most; say whether one did."""
    now = cost.of(totals)
    arriving = cost.of(totals[np.newaxis] + counts[:, np.newaxis]) - now
    leaving = cost.of(totals[np.newaxis] - counts[:, np.newaxis]) - now
    rows = np.arange(len(counts))
    change = arriving + leaving[rows, assigned][:, np.newaxis]
    change[rows, assigned] = 0.0
    group, part = np.unravel_index(int(change.argmin()), change.shape)
    if change[group, part] >= -1e-9:
        return False
    totals[assigned[group]] -= counts[group]
    totals[part] += counts[group]
    assigned[group] = part
    return True


def _swap(
    cost: _Cost,
    counts: npt.NDArray[np.int64],
    assigned: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
) -> bool:
    """Swap the two groups of different parts whose swap helps most; say whether one did.

    Only kinds of groups (distinct class counts) are compared, and at most 500 of them in each
    part: thousands of groups cost little.
    """
    kinds, kind_of = np.unique(counts, axis=0, return_inverse=True)
    best, pair = -1e-9, None
    now = cost.of(totals)
    held = [np.unique(kind_of[assigned == p])[:_MOST_KINDS] for p in range(len(totals))]
    for a in range(len(totals)):
        for b in range(a + 1, len(totals)):
            if not (len(held[a]) and len(held[b])):
                continue
            difference = kinds[held[b]][np.newaxis] - kinds[held[a]][:, np.newaxis]
            change = cost.of(totals[a] + difference, a) + cost.of(totals[b] - difference, b)
            change -= now[a] + now[b]
            place = np.unravel_index(int(change.argmin()), change.shape)
            if change[place] < best:
                best = float(change[place])
                pair = (a, b, held[a][place[0]], held[b][place[1]])
    if pair is None:
        return False
    a, b, kind_a, kind_b = pair
    from_a = np.flatnonzero((assigned == a) & (kind_of == kind_a))[0]
    from_b = np.flatnonzero((assigned == b) & (kind_of == kind_b))[0]
    assigned[from_a], assigned[from_b] = b, a
    totals[a] += counts[from_b] - counts[from_a]
    totals[b] += counts[from_a] - counts[from_b]
    return True


def _check_fractions(fractions: Mapping[str, float]) -> npt.NDArray[np.float64]:
    if set(fractions) != set(PARTS):
        raise InputError(f"Expected a fraction for each of {', '.join(PARTS)}, got {', '.join(fractions)}.")
    values = [float(fractions[part]) for part in PARTS]
    if not (all(value > 0 for value in values) and math.isclose(sum(values), 1, abs_tol=1e-6)):
        raise InputError(f"The fractions must be above 0 and sum to 1, got {', '.join(map(str, values))}.")
    return np.array(values)


def whole_units(groups: npt.NDArray[np.str_], digests: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Number what must stay whole: groups, those that share pixels made one.

    Args:
        groups: ``(n,)`` group of each scan.
        digests: ``(n,)`` pixel digest of each scan.

    Returns:
        ``(n,)`` numbers 0..units-1.
    """
    _, group_codes = np.unique(groups, return_inverse=True)
    _, pixel_codes = np.unique(digests, return_inverse=True)
    size = int(group_codes.max()) + int(pixel_codes.max()) + 2
    links = (np.ones(len(groups)), (group_codes, pixel_codes + group_codes.max() + 1))
    _, components = connected_components(coo_array(links, shape=(size, size)), directed=False)
    _, units = np.unique(components[group_codes], return_inverse=True)
    return units.astype(np.int64)


def _check_enough(dataset: Dataset, counts: npt.NDArray[np.int64]) -> None:
    for index, name in enumerate(dataset.classes):
        holding = int((counts[:, index] > 0).sum())
        if holding < len(PARTS):
            raise InputError(
                f"A grouped split needs each class in at least {len(PARTS)} {dataset.groups_are}, "
                f"one for each part, but {name!r} occurs in {holding}: add scans of others."
            )
