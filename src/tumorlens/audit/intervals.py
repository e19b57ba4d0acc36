"""Accuracies with intervals, many at once, from the same draws of groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from tumorlens.audit.findings import WithInterval
from tumorlens.evaluation.bootstrap import DEFAULT_LEVEL, Unit, bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import Mean

__all__ = ["accuracies"]

_TAIL = (1 - DEFAULT_LEVEL) / 2


def accuracies(
    right: npt.NDArray[np.float64] | npt.NDArray[np.bool_],
    *,
    groups: npt.NDArray[np.str_],
    unit: Unit,
    seed: int = 0,
) -> tuple[WithInterval, ...]:
    """Mean and 95 % interval of each column.

    Args:
        right: ``(n, m)``: whether each scan was predicted right, or the share of the attempts in which it was, 0..1.
        groups: ``(n,)`` the group of each scan.
        unit: What a group is.
        seed: Of the draws.

    Returns:
        One a column. With fewer than two groups nothing is known of the spread: the interval is 0 to 1. Where all
        groups are right by the same share, draws do not differ: the interval is the exact binomial one with one trial a
        group.
    """
    means = [float(mean) for mean in right.mean(axis=0)]
    resampling = resample_groups(groups, n_scans=len(right), unit=unit, seed=seed)
    if resampling is None:
        return tuple(WithInterval(mean, 0.0, 1.0) for mean in means)
    statistics = {
        str(column): (mean, Mean(right[:, column], codes=resampling.codes)) for column, mean in enumerate(means)
    }
    intervals = bootstrap_intervals(statistics, resampling=resampling)
    return tuple(
        WithInterval(mean, interval.low, interval.high) if interval else _one_trial_a_group(mean, resampling.n_groups)
        for mean, interval in zip(means, intervals.values(), strict=True)
    )


def _one_trial_a_group(mean: float, n_groups: int) -> WithInterval:
    """The interval of Clopper and Pearson; ``mean`` is above 0 and below 1."""
    right = mean * n_groups
    low, high = beta.ppf(_TAIL, right, n_groups - right + 1), beta.ppf(1 - _TAIL, right + 1, n_groups - right)
    return WithInterval(mean, float(low), float(high))
