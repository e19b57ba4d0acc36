r"""Intervals that stay honest with few groups, or few with an error: bootstrap-t for ratios, none below five groups.

The percentile interval is too narrow with few groups, because the spread of the draws is that of the groups at hand
and its ends ignore how uncertain this spread is. Bootstrap-t draws the studentised figure instead (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 12.5): :math:`t^* = (R^* - R) / s^*`, where :math:`R` is a
ratio of sums over groups and :math:`s` its standard error by linearisation, which equals the delete-one-group jackknife
to first order.

Where errors lie in so few groups that many draws hold none of them, :math:`s^*` is 0 and there is nothing to
studentise by. Then the exact binomial interval takes its place, with as many trials as scans drawn one by one would
need to be as sure (Korn and Graubard, Survey Methodology 24 (1998) 193-201).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, t

from tumorlens.evaluation.bootstrap import DrawStatistic, Interval, Resampling, bootstrap_intervals
from tumorlens.evaluation.group_sums import Ratio

__all__ = ["FEWEST_GROUPS", "FEW_GROUPS", "honest_intervals"]

FEW_GROUPS = 30
"""With fewer groups than this that say anything, a ratio's interval is a bootstrap-t interval."""

FEWEST_GROUPS = 5
"""Below this many groups there is no interval."""

_STUDENTISED = "bootstrap-t"
_EFFECTIVE = "effective sample size"
_NO_SPREAD = 1e-9

Vector = npt.NDArray[np.float64]


def honest_intervals(
    statistics: Mapping[str, tuple[float, DrawStatistic]], *, resampling: Resampling, level: float
) -> dict[str, Interval | None]:
    """Intervals of several figures: bootstrap-t for ratios over few groups, percentiles otherwise.

    For a share, as for an accuracy, the groups that count are those with an error, or with a right answer where these
    are fewer: two hundred groups of which three hold all errors are three groups for this purpose.

    Args:
        statistics: Name to (value on the scans as they are, figure to compute on draws).
        resampling: How scans are drawn.
        level: Share of such intervals meant to hold the true value, 0..1.

    Returns:
        Name to interval; ``None`` with fewer than :data:`FEWEST_GROUPS` groups behind the figure, or where
        :func:`~tumorlens.evaluation.bootstrap.bootstrap_intervals` has none.
    """
    enough = {name: pair for name, pair in statistics.items() if _groups(pair[1], resampling) >= FEWEST_GROUPS}
    found: dict[str, Interval | None] = dict.fromkeys(statistics)
    found |= bootstrap_intervals(enough, resampling=resampling, level=level) if enough else {}
    for name, (value, statistic) in enough.items():
        interval = found[name]
        if not isinstance(statistic, Ratio) or interval is None:
            continue
        interval = replace(interval, n_groups=statistic.n_groups)
        if statistic.n_telling < FEW_GROUPS and interval.method == "percentile bootstrap":
            low, high, method = _studentised(value, statistic, resampling, level)
            interval = replace(interval, low=low, high=high, method=method)
        found[name] = interval
    return found


def _groups(statistic: DrawStatistic, resampling: Resampling) -> int:
    return statistic.n_groups if isinstance(statistic, Ratio) else resampling.n_groups


def _studentised(value: float, ratio: Ratio, resampling: Resampling, level: float) -> tuple[float, float, str]:
    """Ends of the interval, within the figure's range, and how they were found."""
    tail = (1.0 - level) / 2.0
    error = float(_standard_error(np.ones((1, ratio.top.size)), ratio)[0])
    drawn, errors = (
        np.concatenate(parts)
        for parts in zip(*((ratio.over(c), _standard_error(c, ratio)) for c in resampling.counts()), strict=True)
    )
    usable = errors > _NO_SPREAD
    if (~usable).mean() > tail / 2.0 and ratio.share:
        return *_effective(value, error, ratio, tail=tail), _EFFECTIVE
    steps = (drawn[usable] - value) / errors[usable]
    below, above = (float(end) for end in np.quantile(steps, [tail, 1.0 - tail]))
    low, high = value - above * error, value - below * error
    return max(0.0, min(low, value)), min(ratio.highest, max(high, value)), _STUDENTISED


def _standard_error(counts: Vector, ratio: Ratio) -> Vector:
    """``(chunk,)``: the linearised standard error of a ratio in each draw; 0 where the denominator is empty."""
    top, bottom = ratio.top, ratio.bottom
    total = counts @ bottom
    value = np.divide(counts @ top, total, out=np.zeros(len(counts)), where=total > 0)
    squares = counts @ top**2 - 2.0 * value * (counts @ (top * bottom)) + value**2 * (counts @ bottom**2)
    spread = np.sqrt(np.maximum(squares, 0.0) * ratio.n_groups / (ratio.n_groups - 1))
    return np.divide(spread, total, out=np.zeros(len(counts)), where=total > 0)


def _effective(value: float, error: float, ratio: Ratio, *, tail: float) -> tuple[float, float]:
    """Clopper-Pearson with the number of trials that would give this standard error, at most the scans there are."""
    scans = float(ratio.bottom.sum())
    trials = scans if error <= _NO_SPREAD else min(scans, value * (1.0 - value) / error**2)
    if scans > 1.0:
        trials *= float(t.ppf(1.0 - tail, scans - 1.0) / t.ppf(1.0 - tail, ratio.n_groups - 1)) ** 2
    hits = value * trials
    low = float(beta.ppf(tail, hits, trials - hits + 1.0)) if hits > 0.0 else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1.0, trials - hits)) if hits < trials else 1.0
    return low, high
