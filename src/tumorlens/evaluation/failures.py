"""Which groups hold the errors: a few patients, or all alike. Knows nothing about how scans were predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.types import Labels

__all__ = ["MOST_SHOWN", "Failures", "GroupErrors", "find_failures"]

MOST_SHOWN = 10
"""So many groups are named at most."""


@dataclass(frozen=True)
class GroupErrors:
    """The errors in one group.

    Attributes:
        group: Its name in the manifest.
        n_scans: Its scans.
        n_errors: Those whose decided label is not the reference label, at least one.
    """

    group: str
    n_scans: int
    n_errors: int

    @property
    def share(self) -> float:
        """Share of its scans that are errors, 0..1."""
        return self.n_errors / self.n_scans


@dataclass(frozen=True)
class Failures:
    """Where the errors are.

    Attributes:
        worst: Up to :data:`MOST_SHOWN` groups with most errors, most first; of equally many, the larger share first.
        n_errors: Errors in all groups.
        n_groups: Groups with an error.
        groups_with_half: The fewest groups that hold at least half of all errors; ``None`` without errors.
    """

    worst: tuple[GroupErrors, ...]
    n_errors: int
    n_groups: int
    groups_with_half: int | None


def find_failures(labels: Labels, predicted: Labels, *, groups: npt.NDArray[np.str_]) -> Failures:
    """Count errors by group.

    Args:
        labels: ``(n,)`` reference labels.
        predicted: ``(n,)`` the labels decided on.
        groups: ``(n,)`` group of each scan.
    """
    names, codes = np.unique(groups, return_inverse=True)
    scans = np.bincount(codes, minlength=len(names))
    errors = np.bincount(codes[labels != predicted], minlength=len(names))
    order = np.lexsort((names, -errors / scans, -errors))
    failing = order[errors[order] > 0]
    reached = np.cumsum(errors[failing])
    total = int(errors.sum())
    return Failures(
        worst=tuple(GroupErrors(str(names[at]), int(scans[at]), int(errors[at])) for at in failing[:MOST_SHOWN]),
        n_errors=total,
        n_groups=len(failing),
        groups_with_half=int(np.searchsorted(2 * reached, total)) + 1 if total else None,
    )
