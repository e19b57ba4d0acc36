"""Folds of a whole data set: no patient or cluster in two folds, each class balanced over them.

Knows nothing about what is fitted on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.grouped_split import assign_groups, whole_units
from tumorlens.datasets.residual import ResidualNeighbours
from tumorlens.datasets.similarity import nearest_in_other_parts
from tumorlens.errors import InputError
from tumorlens.types import Labels

__all__ = ["RepeatedFolds", "assign_folds", "repeat_folds", "residual_in_folds"]


@dataclass(frozen=True, eq=False)
class RepeatedFolds:
    """Which fold each scan is held out in, for every repeat.

    Attributes:
        of_row: ``(repeats, n)`` int64: fold 0..folds-1 of each scan of the manifest.
        units: ``(n,)`` int64: what stays whole, groups that share pixels made one.
        folds: Number of folds.
        seed: Of the first repeat; each further one adds 1.
        digest: SHA-256 over pixel digests and folds, 64 hexadecimal digits.
    """

    of_row: npt.NDArray[np.int64] = field(repr=False)
    units: npt.NDArray[np.int64] = field(repr=False)
    folds: int
    seed: int
    digest: str

    @property
    def repeats(self) -> int:
        """How often the scans were divided anew."""
        return len(self.of_row)

    def sides(self, repeat: int, fold: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows trained on and rows held out, both ascending."""
        held_out = self.of_row[repeat] == fold
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def repeat_folds(dataset: Dataset, *, folds: int, repeats: int, seed: int = 0) -> RepeatedFolds:
    """Divide all scans into folds, several times, whole groups at a time.

    Groups that share a copy of a scan are kept together as well.

    Args:
        dataset: What to divide.
        folds: Number of folds, at least 2.
        repeats: How often, at least 1; repeat r is drawn with ``seed + r``.
        seed: Same seed, same folds.

    Raises:
        InputError: The numbers are too small, or a class stands in fewer groups than there are folds.
    """
    if folds < 2 or repeats < 1:
        raise InputError(f"Expected at least 2 folds and 1 repeat, got {folds} and {repeats}.")
    units = whole_units(dataset.groups, dataset.digests)
    of_row = np.stack(
        [
            assign_folds(
                dataset.labels,
                units,
                classes=dataset.classes,
                folds=folds,
                seed=seed + repeat,
                unit=dataset.groups_are,
            )
            for repeat in range(repeats)
        ]
    )
    return RepeatedFolds(of_row, units, folds, seed, _digest(dataset, of_row))


def assign_folds(
    labels: Labels,
    units: npt.NDArray[np.int64],
    *,
    classes: Sequence[str],
    folds: int,
    seed: int,
    unit: str = "groups",
) -> npt.NDArray[np.int64]:
    """Give each scan a fold, so that units stay whole and every fold holds every class.

    Args:
        labels: ``(n,)`` class indices.
        units: ``(n,)`` numbers 0..units-1 of what stays whole.
        classes: Class names in order.
        folds: Number of folds, at least 2.
        seed: Same seed, same folds.
        unit: What a unit is called in messages ("patients").

    Returns:
        ``(n,)`` fold numbers 0..folds-1.

    Raises:
        InputError: A class stands in fewer units than there are folds, or the units cannot be divided so that every
            fold holds every class.
    """
    counts = np.zeros((int(units.max()) + 1, len(classes)), np.int64)
    np.add.at(counts, (units, labels), 1)
    for index, name in enumerate(classes):
        holding = int((counts[:, index] > 0).sum())
        if holding < folds:
            raise InputError(
                f"Cross-validation in {folds} folds needs each class in at least {folds} {unit} without common scans, "
                f"but {name!r} occurs in {holding}: take fewer --folds or add scans of others."
            )
    of_unit = assign_groups(counts, fractions=np.full(folds, 1.0 / folds), seed=seed)
    totals = np.zeros((folds, len(classes)), np.int64)
    np.add.at(totals, of_unit, counts)
    if not totals.all():
        raise InputError(
            f"The {unit} cannot be divided into {folds} folds that hold every class: take fewer --folds or add scans "
            "of others."
        )
    return of_unit[units]


def residual_in_folds(dataset: Dataset, folds: RepeatedFolds) -> ResidualNeighbours:
    """Count the scans that, held out, keep a close neighbour among the scans trained on, in any repeat."""
    best = nearest_in_other_parts(dataset.thumbnails(), folds.of_row).max(axis=0)
    return ResidualNeighbours(len(best), int((best > 0.95).sum()), int((best > 0.98).sum()))


def _digest(dataset: Dataset, of_row: npt.NDArray[np.int64]) -> str:
    digest = hashlib.sha256()
    for row, (pixels, folds) in enumerate(zip(dataset.digests, of_row.T.tolist(), strict=True)):
        digest.update(f"{row},{pixels},{folds}\n".encode())
    return digest.hexdigest()
