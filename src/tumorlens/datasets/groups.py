"""Which scans belong together: patients where the source names them, else inferred clusters."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.clusters import cluster_scans
from tumorlens.datasets.neighbours import CLUSTER_THRESHOLD, has_near_twin
from tumorlens.datasets.source import SourceRow
from tumorlens.errors import InputError

__all__ = ["Groups", "infer_clusters", "keep_patients", "patients_of"]


@dataclass(frozen=True)
class Groups:
    """Which scans belong together.

    Attributes:
        names: Each row's patient, or cluster, such as ``"c00017"``.
        near_twins: Rows with another above ``threshold``; copies count.
        threshold: Correlation of thumbnails.
    """

    names: list[str]
    near_twins: int
    threshold: float


def patients_of(
    rows: tuple[SourceRow, ...], *, pattern: str | None, group_column: str | None = None
) -> list[str] | None:
    """Return each row's patient, or ``None`` where the source names none.

    Args:
        rows: The rows to import.
        pattern: A regular expression with one group, searched in each row's source; what the group
            matches is the patient, whatever headers or a layout say. ``None``: those of the source, if it names any.
        group_column: The column of patients that the user named.

    Raises:
        InputError: A column was named too, the expression is wrong, or does not match every source.
    """
    if pattern is None:
        named = [row.patient for row in rows if row.patient is not None]
        return named if len(named) == len(rows) else None
    if group_column is not None:
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
    names = [f"c{number:05d}" for number in cluster_scans(thumbnails)[places]]
    return Groups(names, _with_copies(has_near_twin(thumbnails), places), CLUSTER_THRESHOLD)


def keep_patients(patients: list[str], thumbnails: npt.NDArray[np.uint8], *, places: npt.NDArray[np.int64]) -> Groups:
    """Group rows by known patients, and count near-twins all the same.

    Args:
        patients: Each row's patient.
        thumbnails: ``(d, 60, 60)`` uint8, one per distinct content.
        places: ``(n,)`` int64: each row's place among them.
    """
    return Groups(patients, _with_copies(has_near_twin(thumbnails), places), CLUSTER_THRESHOLD)


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
