"""Accuracies with intervals, many at once, from the same draws of groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import WithInterval
from tumorlens.evaluation.bootstrap import Mean, Unit, bootstrap_intervals, resample_groups

__all__ = ["accuracies"]


def accuracies(
    right: npt.NDArray[np.float64] | npt.NDArray[np.bool_], *, groups: npt.NDArray[np.str_], unit: Unit
) -> tuple[WithInterval, ...]:
    """Mean and 95 % interval of each column.

    Args:
        right: ``(n, m)``: whether each scan was predicted right, or the share of the attempts in which it was, 0..1.
        groups: ``(n,)`` the group of each scan.
        unit: What a group is.

    Returns:
        One a column. With fewer than two groups nothing is known of the spread: the interval is 0 to 1.
    """
    means = [float(mean) for mean in right.mean(axis=0)]
    resampling = resample_groups(groups, n_scans=len(right), unit=unit)
    if resampling is None:
        return tuple(WithInterval(mean, 0.0, 1.0) for mean in means)
    statistics = {
        str(column): (mean, Mean(right[:, column], codes=resampling.codes)) for column, mean in enumerate(means)
    }
    intervals = bootstrap_intervals(statistics, resampling=resampling)
    return tuple(
        WithInterval(mean, interval.low, interval.high) if interval else WithInterval(mean, mean, mean)
        for mean, interval in zip(means, intervals.values(), strict=True)
    )
