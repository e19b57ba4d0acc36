"""Which scans belong together: patients where the source names them, else inferred clusters."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.clusters import CLUSTER_THRESHOLD, cluster_units
from tumorlens.datasets.neighbours import similar_pairs, unit_thumbnails
from tumorlens.datasets.source import SourceRow
from tumorlens.errors import InputError

__all__ = ["Groups", "infer_clusters", "keep_patients", "patients_of"]


_MOST_COMPARED = 10_000


@dataclass(frozen=True)
class Groups:
    """Which scans belong together.

    Attributes:
        names: Each row's patient, or cluster, such as ``"c00017"``.
        near_twins: Rows with another above ``threshold``; copies count. ``None``: not counted.
        threshold: Correlation of thumbnails; ``None`` likewise.
    """

    names: list[str]
    near_twins: int | None
    threshold: float | None


def patients_of(rows: tuple[SourceRow, ...], *, pattern: str | None) -> list[str] | None:
    """Return each row's patient, or ``None`` where the source names none.

    Args:
        rows: The rows to import.
        pattern: A regular expression with one group, searched in each row's source; what the group
            matches is the patient. ``None``: the source's own column, if it has one.

    Raises:
        InputError: The expression is wrong, or does not match every source.
    """
    if pattern is None:
        named = [row.patient for row in rows if row.patient is not None]
        return named if len(named) == len(rows) else None
    if any(row.patient is not None for row in rows):
        raise InputError("Give a group column or a group pattern, not both.")
    expression = _compile(pattern)
    matches = [expression.search(row.source) for row in rows]
    patients = [match.group(1) if match else None for match in matches]
    missing = [row.source for row, name in zip(rows, patients, strict=True) if not name]
    if missing:
        raise InputError(
            f"The group pattern {pattern!r} finds no patient in {len(missing)} of {len(rows)} "
            f"names (the first: {', '.join(missing[:3])}): change the pattern."
        )
    return [name for name in patients if name]


def infer_clusters(thumbnails: npt.NDArray[np.uint8], *, places: npt.NDArray[np.int64]) -> Groups:
    """Infer each row's cluster; copies share theirs.

    Args:
        thumbnails: ``(d, 60, 60)`` uint8, one per distinct content.
        places: ``(n,)`` int64: each row's place among them.
    """
    clusters, near = cluster_units(unit_thumbnails(thumbnails), threshold=CLUSTER_THRESHOLD)
    names = [f"c{number:05d}" for number in clusters[places]]
    return Groups(names, _with_copies(near, places), CLUSTER_THRESHOLD)


def keep_patients(patients: list[str], thumbnails: npt.NDArray[np.uint8], *, places: npt.NDArray[np.int64]) -> Groups:
    """Group rows by known patients, and count near-twins all the same.

    The work grows with the square of the number of scans; above 10,000 distinct ones it is left out.

    Args:
        patients: Each row's patient.
        thumbnails: ``(d, 60, 60)`` uint8, one per distinct content.
        places: ``(n,)`` int64: each row's place among them.
    """
    if len(thumbnails) > _MOST_COMPARED:
        return Groups(patients, None, None)
    near = np.zeros(len(thumbnails), bool)
    for first, second, _ in similar_pairs(unit_thumbnails(thumbnails), above=CLUSTER_THRESHOLD):
        near[first] = near[second] = True
    return Groups(patients, _with_copies(near, places), CLUSTER_THRESHOLD)


def _with_copies(near: npt.NDArray[np.bool_], places: npt.NDArray[np.int64]) -> int:
    """The number of rows whose content is near another's or occurs more than once."""
    in_copies = np.bincount(places) > 1
    return int((near | in_copies)[places].sum())


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InputError(f"The group pattern {pattern!r} is no regular expression ({error}): correct it.") from error
    if expression.groups != 1:
        raise InputError(
            f"The group pattern {pattern!r} has {expression.groups} groups, expected exactly one "
            r"around the patient, such as 'p(\d+)_'."
        )
    return expression
