"""Figures that follow from sums over groups: counts of the confusion matrix and losses, for many draws at once.

Everything that a draw needs of a group is one row of numbers, so a draw is one product of counts and rows. Knows
nothing about models or intervals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from tumorlens.types import Labels

__all__ = ["FromConfusion", "GroupSums", "Mean", "Ratio", "confusion_columns", "divided"]

Vector = npt.NDArray[np.float64]

_EXACT = "exact binomial"
_ROUNDING = 1e-12


def confusion_columns(labels: Labels, predicted: Labels, *, n_classes: int) -> Vector:
    """``(n, k * k)`` float64: a one in the cell of each scan, reference label times k plus predicted class."""
    cells = np.zeros((labels.size, n_classes * n_classes))
    cells[np.arange(labels.size), labels * n_classes + predicted] = 1.0
    return cells


class GroupSums:
    """One row of sums a group; the product with one chunk of draws is shared by all figures that need it."""

    def __init__(self, columns: Vector, *, codes: npt.NDArray[np.int64]) -> None:
        """Sum ``columns`` ``(n, m)`` by group ``codes`` ``(n,)``."""
        self.rows = np.stack([np.bincount(codes, weights=column) for column in columns.T], axis=1)
        self._counts: Vector | None = None
        self._totals: Vector = np.empty((0, columns.shape[1]))

    def over(self, counts: Vector) -> Vector:
        """``(chunk, m)``: the sums of each draw, from ``(chunk, n_groups)`` counts."""
        if self._counts is not counts:
            self._counts, self._totals = counts, counts @ self.rows
        return self._totals


class Ratio:
    """One sum over another: a share of scans, or a mean loss.

    Attributes:
        top: ``(g,)`` each group's part of the numerator.
        bottom: ``(g,)`` each group's part of the denominator.
        highest: Largest value the figure can take; infinity for losses without one.
        share: Whether it is a share of scans, so that a binomial interval may stand in.
        n_groups: Groups with a part in the denominator: only these say anything about the figure.
        n_telling: Of a share, the groups that hold any of the numerator, or any of the rest, whichever are fewer; else
            ``n_groups``.
    """

    def __init__(
        self, sums: GroupSums, *, top: Vector, bottom: Vector, highest: float = 1.0, share: bool = True
    ) -> None:
        """Weigh the columns of ``sums`` by ``top`` and ``bottom``, ``(m,)`` each."""
        self._sums, self._top, self._bottom = sums, top, bottom
        self.top, self.bottom = sums.rows @ top, sums.rows @ bottom
        self.highest, self.share = highest, share
        self.n_groups = int(np.count_nonzero(self.bottom))
        rest = self.bottom - self.top > _ROUNDING
        self.n_telling = min(np.count_nonzero(self.top), np.count_nonzero(rest)) if share else self.n_groups

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: the figure of each draw; NaN where its denominator is empty."""
        totals = self._sums.over(counts)
        return divided(totals @ self._top, totals @ self._bottom)

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """Clopper-Pearson with one trial a group of the denominator where a share is 1 or 0 in all of them."""
        tail = (1.0 - level) / 2.0
        if self.share and np.abs(self.top - self.bottom).max() < _ROUNDING:
            return float(beta.ppf(tail, self.n_groups, 1)), 1.0, _EXACT
        if self.share and np.abs(self.top).max() < _ROUNDING:
            return 0.0, float(beta.ppf(1.0 - tail, 1, self.n_groups)), _EXACT
        return None


class Mean(Ratio):
    """The mean of one value a scan: a share where the value says right or wrong, or a loss in nats."""

    def __init__(
        self, values: npt.ArrayLike, *, codes: npt.NDArray[np.int64], highest: float = 1.0, share: bool = True
    ) -> None:
        """Take ``values`` ``(n,)`` of scans in groups ``codes`` ``(n,)``; further arguments as of :class:`Ratio`."""
        column = np.asarray(values, dtype=np.float64)
        sums = GroupSums(np.column_stack([column, np.ones(column.size)]), codes=codes)
        super().__init__(sums, top=np.array([1.0, 0.0]), bottom=np.array([0.0, 1.0]), highest=highest, share=share)


class FromConfusion:
    """A figure computed from the confusion matrix of each draw."""

    def __init__(self, sums: GroupSums, function: Callable[[Vector], Vector], *, n_classes: int) -> None:
        """Take ``function`` of ``(chunk, k, k)`` counts, which are the first k * k columns of ``sums``."""
        self._sums, self._function, self._n_classes = sums, function, n_classes

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: the figure of each draw; NaN where it is not defined."""
        k = self._n_classes
        return self._function(self._sums.over(counts)[:, : k * k].reshape(-1, k, k))

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """``None``: draws that are all alike say nothing about such a figure."""
        return None


def divided(top: Vector, bottom: Vector) -> Vector:
    """``top / bottom``; NaN where ``bottom`` is 0."""
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
