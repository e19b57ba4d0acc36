"""Which scans belong together: patients where the source names them. Clusters come later."""

from __future__ import annotations

import re

from tumorlens.datasets.source import SourceRow
from tumorlens.errors import InputError

__all__ = ["patients_of"]


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
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InputError(f"The group pattern {pattern!r} is no regular expression: {error}.") from error
    if expression.groups != 1:
        raise InputError(
            f"The group pattern {pattern!r} has {expression.groups} groups, expected exactly one "
            r"around the patient, such as 'p(\d+)_'."
        )
    matches = [expression.search(row.source) for row in rows]
    patients = [match.group(1) if match else None for match in matches]
    missing = [row.source for row, name in zip(rows, patients, strict=True) if not name]
    if missing:
        raise InputError(
            f"The group pattern {pattern!r} finds no patient in {len(missing)} of {len(rows)} "
            f"names (the first: {', '.join(missing[:3])}): change the pattern."
        )
    return [name for name in patients if name]
