r"""Fits how logits become probabilities that mean what they say, on scans that nothing else was fitted on.

Temperature scaling (Guo et al., ICML 2017) has one parameter, Platt's scaling (Platt, "Probabilistic outputs for
support vector machines", 1999, his smoothed targets included) two, for two classes. Which one is taken is decided by
the cross-entropy in folds of whole groups within the calibration part: a temperature or no calibration, whichever has
the lower; Platt's scaling only where it beats that by more than one standard error over groups. Knows nothing about
networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

from tumorlens.errors import InputError
from tumorlens.evaluation.metrics import scan_losses
from tumorlens.evaluation.small_groups import FEWEST_GROUPS
from tumorlens.runtime import UNCALIBRATED, Calibration, calibrate
from tumorlens.training.folds import grouped_folds
from tumorlens.types import Labels, Probabilities

__all__ = ["FittedCalibration", "fit_calibration", "fit_platt", "fit_temperature", "log_odds"]

_LOWEST, _HIGHEST = 0.05, 20.0

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FittedCalibration:
    """What was fitted, and why this.

    Attributes:
        calibration: To be applied to the logits.
        method: "temperature", "platt" or "none".
        reason: Why there is none, in a sentence; empty where there is one.
        losses: Cross-entropy in nats by method, in folds of whole groups; empty where nothing was fitted.
        n_scans: Scans it rests on.
        n_groups: Groups it rests on.
    """

    calibration: Calibration
    method: str
    reason: str
    losses: dict[str, float]
    n_scans: int
    n_groups: int


def fit_calibration(
    labels: Labels,
    probabilities: Probabilities,
    groups: npt.NDArray[np.str_],
    *,
    positive: int | None,
    seed: int = 0,
) -> FittedCalibration:
    """Fit and choose on the calibration part.

    Args:
        labels: ``(n,)`` reference labels.
        probabilities: ``(n, k)`` uncalibrated.
        groups: ``(n,)``.
        positive: Index of the positive of two classes; ``None`` for more classes, which have temperature only.
        seed: Of the folds.
    """
    n_groups = len(np.unique(groups))
    present = np.unique(labels)
    if n_groups < FEWEST_GROUPS or len(present) < probabilities.shape[1]:
        reason = f"the calibration part has {n_groups} groups of {len(present)} classes, too few to calibrate on"
        return FittedCalibration(UNCALIBRATED, "none", reason, {}, int(labels.size), n_groups)
    try:
        folds = grouped_folds(labels, groups, seed=seed)
    except InputError:
        reason = "a class stands in too few groups of the calibration part to calibrate on"
        return FittedCalibration(UNCALIBRATED, "none", reason, {}, int(labels.size), n_groups)
    methods: dict[str, Callable[[Labels, Probabilities], Calibration]] = {"temperature": fit_temperature}
    if positive is not None:
        methods["platt"] = lambda own, given: fit_platt(own, given, positive=positive)
    held_out = {"none": scan_losses(labels, probabilities)}
    held_out |= {name: _held_out(labels, probabilities, folds, fit) for name, fit in methods.items()}
    chosen = _choose(held_out, groups)
    losses = {name: float(loss.mean()) for name, loss in held_out.items()}
    if chosen == "none":
        reason = "that did not lower the loss on held-out groups of the calibration part"
        return FittedCalibration(UNCALIBRATED, "none", reason, losses, int(labels.size), n_groups)
    calibration = methods[chosen](labels, probabilities)
    return FittedCalibration(calibration, chosen, "", losses, int(labels.size), n_groups)


def fit_temperature(labels: Labels, probabilities: Probabilities) -> Calibration:
    """The temperature, 0.05 to 20, with the least cross-entropy.

    Args:
        labels: ``(n,)``.
        probabilities: ``(n, k)`` uncalibrated.
    """

    def loss(logarithm: float) -> float:
        return float(scan_losses(labels, calibrate(probabilities, Calibration(float(np.exp(logarithm))))).mean())

    found = minimize_scalar(loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded", options={"xatol": 1e-6})
    return Calibration(float(np.exp(found.x)))


def fit_platt(labels: Labels, probabilities: Probabilities, *, positive: int) -> Calibration:
    """Slope and intercept of the log-odds of two classes with the least cross-entropy against smoothed targets.

    Args:
        labels: ``(n,)``.
        probabilities: ``(n, 2)`` uncalibrated.
        positive: Index of the positive class.

    Returns:
        As a temperature (one over the slope) and a shift of the positive class. A slope that is not positive, or leaves
        the range of temperatures, is set to its end: an order of answers is never turned round.
    """
    hits = labels == positive
    targets = np.where(hits, (hits.sum() + 1.0) / (hits.sum() + 2.0), 1.0 / ((~hits).sum() + 2.0))
    odds = log_odds(probabilities, positive=positive)

    def loss(values: Vector) -> tuple[float, Vector]:
        slope, intercept = float(np.exp(values[0])), values[1]
        given = slope * odds + intercept
        error = 1.0 / (1.0 + np.exp(-given)) - targets
        value = float((np.logaddexp(0.0, given) - targets * given).mean())
        return value, np.array([float((error * odds).mean()) * slope, float(error.mean())])

    ends = (-np.log(_HIGHEST), -np.log(_LOWEST))
    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[ends, (None, None)])
    slope, intercept = float(np.exp(found.x[0])), float(found.x[1])
    shift = tuple(intercept if place == positive else 0.0 for place in range(2))
    return Calibration(1.0 / slope, shift)


def log_odds(probabilities: Probabilities, *, positive: int) -> Vector:
    """``(n,)`` the logarithm of the odds of the positive of two classes; finite."""
    clipped = np.clip(probabilities, 1e-15, None)
    return np.log(clipped[:, positive]) - np.log(clipped[:, 1 - positive])


def _held_out(
    labels: Labels,
    probabilities: Probabilities,
    folds: npt.NDArray[np.int64],
    fit: Callable[[Labels, Probabilities], Calibration],
) -> Vector:
    """``(n,)`` each scan's loss under the calibration of the other folds."""
    losses = np.empty(labels.size)
    for fold in np.unique(folds):
        out = folds == fold
        calibration = fit(labels[~out], probabilities[~out])
        losses[out] = scan_losses(labels[out], calibrate(probabilities[out], calibration))
    return losses


def _choose(losses: dict[str, Vector], groups: npt.NDArray[np.str_]) -> str:
    simple = min(("temperature", "none"), key=lambda name: float(losses[name].mean()))
    if "platt" in losses and _gain_in_errors(losses[simple] - losses["platt"], groups) > 1.0:
        return "platt"
    return simple


def _gain_in_errors(gains: Vector, groups: npt.NDArray[np.str_]) -> float:
    """The mean gain divided by its standard error over groups (a ratio of sums, linearised)."""
    _, codes = np.unique(groups, return_inverse=True)
    mean = float(gains.mean())
    residuals = np.bincount(codes, weights=gains - mean)
    count = len(residuals)
    error = float(np.sqrt((residuals**2).sum() * count / (count - 1)) / gains.size)
    return mean / error if error > 0 else 0.0
