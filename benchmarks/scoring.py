"""What the benchmarks share: figures of predictions and paired differences of them, with intervals over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import Auc, DrawStatistic, Interval, Vector, bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.evaluation.metrics import roc_auc, scan_losses
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.types import Labels, Probabilities

__all__ = ["Found", "Scans", "differences", "figures", "words"]

_LEVEL = 0.95

Found = dict[str, dict[str, float | None]]
"""Figure to its ``value``, ``low`` and ``high``; ends are ``None`` where there is no interval."""


@dataclass(frozen=True, eq=False)
class Scans:
    """Scans of two classes that are scored.

    Attributes:
        labels: ``(n,)`` 0 or 1.
        groups: ``(n,)`` clusters; drawn whole.
        positive: Index of the positive class.
    """

    labels: Labels
    groups: npt.NDArray[np.str_]
    positive: int = 1


@dataclass(frozen=True)
class _Change:
    """A figure of a first prediction minus that of a second, on the same draws."""

    first: DrawStatistic
    second: DrawStatistic

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: one difference a draw."""
        return np.asarray(self.first.over(counts) - self.second.over(counts))

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """``None``: where both always agree there is no interval."""
        return None


def figures(scans: Scans, probabilities: Probabilities) -> Found:
    """ROC AUC, accuracy (the larger probability decides) and log loss of ``(n, 2)`` probabilities."""
    resampling = resample_groups(scans.groups, n_scans=len(scans.labels), unit="clusters")
    assert resampling is not None
    statistics = _statistics(scans, probabilities, resampling.codes)
    return _rounded(statistics, honest_intervals(statistics, resampling=resampling, level=_LEVEL))


def differences(scans: Scans, first: Probabilities, second: Probabilities) -> Found:
    """The figures of ``first`` minus those of ``second``, groups drawn together (paired)."""
    resampling = resample_groups(scans.groups, n_scans=len(scans.labels), unit="clusters")
    assert resampling is not None
    one, other = (_statistics(scans, given, resampling.codes) for given in (first, second))
    changes: dict[str, tuple[float, DrawStatistic]] = {
        name: (one[name][0] - other[name][0], _Change(one[name][1], other[name][1])) for name in one
    }
    return _rounded(changes, bootstrap_intervals(changes, resampling=resampling, level=_LEVEL))


def words(found: dict[str, float | None], *, signed: bool = False) -> str:
    """A figure with its interval, for a table."""
    sign = "+" if signed else ""
    ends = "" if found["low"] is None else f" ({found['low']:{sign}.3f} to {found['high']:{sign}.3f})"
    return f"{found['value']:{sign}.3f}{ends}"


def _statistics(
    scans: Scans, probabilities: Probabilities, codes: npt.NDArray[np.int64]
) -> dict[str, tuple[float, DrawStatistic]]:
    right = probabilities.argmax(axis=1) == scans.labels
    losses = scan_losses(scans.labels, probabilities)
    area = roc_auc(scans.labels, probabilities, positive=scans.positive)
    assert area is not None
    scores, targets = probabilities[:, [scans.positive]], (scans.labels == scans.positive)[:, None]
    return {
        "roc_auc": (area, Auc(scores, targets, codes=codes)),
        "accuracy": (float(right.mean()), Mean(right, codes=codes)),
        "log_loss": (float(losses.mean()), Mean(losses, codes=codes, highest=np.inf, share=False)),
    }


def _rounded(statistics: dict[str, tuple[float, DrawStatistic]], intervals: dict[str, Interval | None]) -> Found:
    found: Found = {}
    for name, (value, _) in statistics.items():
        interval = intervals[name]
        low, high = (None, None) if interval is None else (round(interval.low, 4), round(interval.high, 4))
        found[name] = {"value": round(value, 4), "low": low, "high": high}
    return found
