"""One figure with its interval, as answers and reports carry it; and shares of scans made into such figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_LEVEL, Interval, Resampling
from tumorlens.evaluation.group_sums import GroupSums, Ratio
from tumorlens.evaluation.small_groups import honest_intervals

__all__ = ["Figure", "figure_of", "share_figures"]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        value: The figure; ``None`` where its denominator is empty.
        low: Lower end of its interval; ``None`` where there is none.
        high: Upper end.
        method: How the interval was made ("percentile bootstrap", "bootstrap-t", "effective sample size", "exact
            binomial", "constant scores"); ``None`` without one.
        n_groups: Groups that the figure rests on; ``None`` without an interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    n_groups: int | None = None


def figure_of(value: float | None, interval: Interval | None) -> Figure:
    """The figure with its interval, if it has one."""
    if interval is None:
        return Figure(value)
    return Figure(value, interval.low, interval.high, interval.method, interval.n_groups)


def share_figures(
    shares: Mapping[str, tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]],
    *,
    resampling: Resampling | None,
    level: float = DEFAULT_LEVEL,
) -> dict[str, Figure]:
    """Shares of scans, each with the interval that honest_intervals gives it.

    Args:
        shares: Name to what counts and what it is a share of, ``(n,)`` each: booleans or weights.
        resampling: How scans are drawn; ``None``: there are no intervals.
        level: Of the intervals, 0..1.

    Returns:
        Name to figure, in the same order; its value is ``None`` where there is nothing to be a share of.
    """
    values = {
        name: float(top.astype(np.float64).sum() / bottom.astype(np.float64).sum()) if bottom.any() else None
        for name, (top, bottom) in shares.items()
    }
    intervals: dict[str, Interval | None] = {}
    if resampling is not None:
        defined = {
            name: (value, _ratio(*shares[name], codes=resampling.codes))
            for name, value in values.items()
            if value is not None
        }
        intervals = honest_intervals(defined, resampling=resampling, level=level) if defined else {}
    return {name: figure_of(value, intervals.get(name)) for name, value in values.items()}


def _ratio(top: npt.NDArray[np.generic], bottom: npt.NDArray[np.generic], *, codes: npt.NDArray[np.int64]) -> Ratio:
    sums = GroupSums(np.column_stack([top, bottom]).astype(np.float64), codes=codes)
    return Ratio(sums, top=np.array([1.0, 0.0]), bottom=np.array([0.0, 1.0]))
