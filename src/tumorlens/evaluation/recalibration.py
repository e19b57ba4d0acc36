r"""Slope and intercept of calibration: the logistic regression of what came true on the predicted log-odds.

A slope below 1 means probabilities that are too extreme; an intercept above 0 (with the slope held at 1) that too few
positives were predicted (Cox, Biometrika 45 (1958) 562-565; Van Calster et al., BMC Med. 17 (2019) 230). For two
classes. Knows nothing about models.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import Resampling
from tumorlens.evaluation.figure import Figure
from tumorlens.evaluation.small_groups import FEWEST_GROUPS

__all__ = ["calibration_slope"]

_STEPS = 30
_CLOSE = 1e-8
_STEEPEST = 100.0
_DRAWS_AT_ONCE = 50
_PERCENTILE = "percentile bootstrap"

Vector = npt.NDArray[np.float64]


def calibration_slope(odds: Vector, true: npt.NDArray[np.bool_], *, resampling: Resampling | None) -> dict[str, Figure]:
    """``slope`` and ``intercept`` with intervals over groups.

    Args:
        odds: ``(n,)`` predicted log-odds of the positive class, finite.
        true: ``(n,)`` whether the scan is positive.
        resampling: How scans are drawn; ``None``, or fewer than five groups: no intervals.

    Returns:
        Figures; their value is ``None`` where the fit does not exist (one class only, or classes told apart
        completely).
    """
    found = {}
    for name, with_slope in (("slope", True), ("intercept", False)):
        value = _fit(odds, true, np.ones((1, odds.size)), with_slope=with_slope)[0]
        if np.isnan(value):
            found[name] = Figure(None)
        elif resampling is None or resampling.n_groups < FEWEST_GROUPS:
            found[name] = Figure(float(value))
        else:
            found[name] = _with_interval(float(value), odds, true, resampling, with_slope=with_slope)
    return found


def _with_interval(
    value: float, odds: Vector, true: npt.NDArray[np.bool_], resampling: Resampling, *, with_slope: bool
) -> Figure:
    parts = []
    for counts in resampling.counts():
        for start in range(0, len(counts), _DRAWS_AT_ONCE):
            weights = counts[start : start + _DRAWS_AT_ONCE][:, resampling.codes]
            parts.append(_fit(odds, true, weights, with_slope=with_slope))
    drawn = np.concatenate(parts)
    defined = drawn[~np.isnan(drawn)]
    if 2 * defined.size < drawn.size:
        return Figure(value)
    low, high = (float(end) for end in np.quantile(defined, [0.025, 0.975]))
    return Figure(value, low, high, _PERCENTILE, resampling.n_groups)


def _fit(odds: Vector, true: npt.NDArray[np.bool_], weights: Vector, *, with_slope: bool) -> Vector:
    """``(draws,)`` the slope, or the intercept with the slope held at 1, by Newton's method; NaN: there is none."""
    draws = len(weights)
    scale = float(odds.std()) or 1.0
    if with_slope:  # in units of the spread, from no slope at all: from there Newton's method arrives
        odds = odds / scale
    slope, intercept = np.full(draws, 0.0 if with_slope else 1.0), np.zeros(draws)
    moved = np.full(draws, np.inf)
    for _ in range(_STEPS):
        given = 1.0 / (1.0 + np.exp(-np.clip(slope[:, None] * odds + intercept[:, None], -500.0, 500.0)))
        error = weights * (true - given)
        spread = weights * given * (1.0 - given)
        g0, h00 = error.sum(axis=1), spread.sum(axis=1)
        if with_slope:
            g1, h01, h11 = error @ odds, spread @ odds, spread @ odds**2
            determinant = np.maximum(h00 * h11 - h01**2, 1e-12)
            step0, step1 = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        else:
            step0, step1 = g0 / np.maximum(h00, 1e-12), np.zeros(draws)
        step0, step1 = np.clip(step0, -2.0, 2.0), np.clip(step1, -2.0, 2.0)
        intercept, slope = intercept + step0, slope + step1
        moved = np.maximum(np.abs(step0), np.abs(step1))
        if float(moved.max()) < _CLOSE:
            break
    value = slope / scale if with_slope else intercept
    return np.where((moved < 1e-4) & (np.abs(value) < _STEEPEST), value, np.nan)
