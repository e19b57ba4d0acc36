"""All figures of calibration of one set of predictions: losses, slope, intercept, reliability."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_LEVEL, Interval, Resampling
from tumorlens.evaluation.calibration import log_odds
from tumorlens.evaluation.figure import Figure, figure_of
from tumorlens.evaluation.group_sums import Mean
from tumorlens.evaluation.metrics import scan_losses
from tumorlens.evaluation.recalibration import calibration_slope
from tumorlens.evaluation.reliability import Reliability, reliability
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.evaluation.summary_points import brier_terms
from tumorlens.types import Labels, Probabilities

__all__ = ["CalibrationFigures", "calibration_figures"]


@dataclass(frozen=True)
class CalibrationFigures:
    """Whether probabilities mean what they say.

    Attributes:
        log_loss: Mean cross-entropy, nats.
        brier: Mean squared difference, as in the summary.
        slope: Of the logistic regression on the log-odds, 1 when right; without a value for more than two classes.
        intercept: The same with the slope held at 1, 0 when right.
        reliability: Observed shares by predicted probability, and the calibration error.
    """

    log_loss: Figure
    brier: Figure
    slope: Figure
    intercept: Figure
    reliability: Reliability

    def to_json(self) -> dict[str, Any]:
        """Plain values, as documented for ``evaluate --json``."""
        found = self.reliability
        return {
            "log_loss": asdict(self.log_loss),
            "brier": asdict(self.brier),
            "slope": asdict(self.slope),
            "intercept": asdict(self.intercept),
            "error": found.error,
            "error_debiased": asdict(found.debiased),
            "error_of_perfect": found.perfect,
            "within_band": found.within_band,
            "likeness": found.likeness,
            "bins": [asdict(each) for each in found.bins],
        }


def calibration_figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    positive: int | None,
    groups: npt.NDArray[np.str_],
    resampling: Resampling | None,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> CalibrationFigures:
    """Compute them.

    Args:
        labels: ``(n,)``.
        probabilities: ``(n, k)``.
        positive: Index of the positive of two classes; ``None`` for more.
        groups: ``(n,)``; scans of their own where none are known.
        resampling: Draws of the same groups; ``None``: no intervals.
        level: Of the intervals of the losses; the others are 95 %.
        seed: Of the drawn perfect models.
    """
    terms = {
        "log_loss": (scan_losses(labels, probabilities), np.inf),
        "brier": (brier_terms(labels, probabilities, positive=positive), 2.0 if positive is None else 1.0),
    }
    intervals: dict[str, Interval | None] = {}
    if resampling is not None:
        means = {
            name: (float(values.mean()), Mean(values, codes=resampling.codes, highest=highest, share=False))
            for name, (values, highest) in terms.items()
        }
        intervals = honest_intervals(means, resampling=resampling, level=level)
    losses = {name: figure_of(float(values.mean()), intervals.get(name)) for name, (values, _) in terms.items()}
    slopes = {"slope": Figure(None), "intercept": Figure(None)}
    if positive is not None:
        odds = log_odds(probabilities, positive=positive)
        slopes = calibration_slope(odds, labels == positive, resampling=resampling)
    return CalibrationFigures(
        **losses,
        **slopes,
        reliability=reliability(
            labels, probabilities, positive=positive, groups=groups, resampling=resampling, seed=seed
        ),
    )
