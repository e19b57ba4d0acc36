r"""Quantiles that hold for a scan of a new group, where scans of one group resemble each other.

The plain split conformal quantile treats scans as exchangeable, which slices of one patient are not. Groups are: with
:math:`G` groups, the scores of group :math:`g` weigh :math:`1 / ((G + 1) n_g)` each and the rest,
:math:`1 / (G + 1)`, stands for the new group at infinity. The chance that one scan of a new group lies at or below the
quantile is then at least the wanted level (Lee, Barber and Willett, "Distribution-free inference with hierarchical
data", 2023, arXiv 2306.06342; it is the mean over all ways to draw one scan a group of Dunn, Wasserman and Ramdas,
JASA 118 (2023) 2491-2502). Knows nothing about what a score means.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["group_quantile", "groups_needed"]

_ROUNDING = 1e-12


def groups_needed(level: float) -> int:
    """How many groups a finite quantile at ``level`` takes: 19 for 0.95, 99 for 0.99."""
    return math.ceil(1.0 / (1.0 - level) - 1.0 - 1e-9)


def group_quantile(scores: npt.NDArray[np.float64], groups: npt.NDArray[np.str_], *, level: float) -> float | None:
    """The smallest score that a scan of a new group stays at or below with probability ``level`` or more.

    Args:
        scores: ``(n,)``.
        groups: ``(n,)`` the group of each.
        level: In 0..1.

    Returns:
        The quantile, one of the scores; ``None`` with fewer than :func:`groups_needed` groups.
    """
    if not scores.size:
        return None
    _, codes = np.unique(groups, return_inverse=True)
    sizes = np.bincount(codes)
    weights = 1.0 / ((len(sizes) + 1) * sizes[codes])
    order = np.argsort(scores, kind="stable")
    reached = np.searchsorted(np.cumsum(weights[order]), level - _ROUNDING)
    return None if reached == scores.size else float(scores[order][reached])
