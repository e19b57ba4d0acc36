r"""Whether probabilities mean what they say: observed shares by predicted probability, and how far off they are.

With two classes the probability of the positive one is judged, with more that of the predicted class. Bins hold equally
many scans. A perfectly calibrated model does not lie on the diagonal either, so for every bin the range is given in
which 95 % of such models' shares would lie on these scans (consistency bars: Bröcker and Smith, Weather Forecast. 22
(2007) 651-661), drawn so that scans of one group err together as much as they do here. The calibration error is the
root of the mean squared distance between both shares; debiased, the part that chance alone would give is taken off
(Kumar, Liang and Ma, NeurIPS 2019, arXiv 1909.10155, with variances over groups). Knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from tumorlens.evaluation.bootstrap import Resampling
from tumorlens.evaluation.figure import Figure
from tumorlens.evaluation.group_sums import divided
from tumorlens.evaluation.small_groups import FEWEST_GROUPS
from tumorlens.types import Labels, Probabilities

__all__ = ["Reliability", "ReliabilityBin", "reliability"]

_BINS = 10
_SCANS_A_BIN = 20
_DRAWS = 1_000
_DRAWS_FOR_LIKENESS = 40
_CORRELATIONS = np.round(np.arange(20) * 0.05, 2)
_PERCENTILE = "percentile bootstrap"

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReliabilityBin:
    """Scans of about the same predicted probability; all shares in 0..1.

    Attributes:
        predicted: Mean predicted probability.
        observed: Share of them for which it came true.
        n: Scans.
        low: Lower end of where 95 % of perfectly calibrated models' shares lie on these scans.
        high: Upper end.
    """

    predicted: float
    observed: float
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """How far predicted probabilities are from observed shares.

    Attributes:
        bins: From the smallest predicted probability to the largest.
        error: Root mean squared distance over the bins, 0..1.
        perfect: What 95 % of perfectly calibrated models stay below on these scans.
        debiased: The error with the part taken off that chance gives, with its interval.
        likeness: Correlation of errors within a group (of the normal variables behind them), 0..0.95.
    """

    bins: tuple[ReliabilityBin, ...]
    error: float
    perfect: float
    debiased: Figure
    likeness: float

    @property
    def within_band(self) -> bool:
        """Whether a perfectly calibrated model would often be as far off."""
        return self.error <= self.perfect


def reliability(
    labels: Labels,
    probabilities: Probabilities,
    *,
    positive: int | None,
    groups: npt.NDArray[np.str_],
    resampling: Resampling | None,
    seed: int = 0,
) -> Reliability:
    """Compare predicted probabilities with what came true.

    Args:
        labels: ``(n,)``.
        probabilities: ``(n, k)``.
        positive: Index of the positive of two classes; ``None``: the predicted class is judged.
        groups: ``(n,)``.
        resampling: Draws of the same groups for the interval; ``None``: there is none.
        seed: Of the drawn perfect models.
    """
    given, true = judged_class(labels, probabilities, positive=positive)
    _, codes = np.unique(groups, return_inverse=True)
    bins = _equal_bins(given)
    observed, predicted = _means(true.astype(np.float64), bins), _means(given, bins)
    weights = np.bincount(bins) / bins.size
    generator = np.random.default_rng(seed)
    likeness = _likeness(true, given, bins, codes.astype(np.int64), generator)
    perfect = np.stack([_means(_draw_true(given, codes, likeness, generator), bins) for _ in range(_DRAWS)])
    low, high = np.quantile(perfect, [0.025, 0.975], axis=0)
    errors = np.sqrt((weights * (perfect - predicted) ** 2).sum(axis=1))
    return Reliability(
        bins=tuple(
            ReliabilityBin(float(predicted[i]), float(observed[i]), int(count), float(low[i]), float(high[i]))
            for i, count in enumerate(np.bincount(bins))
        ),
        error=float(np.sqrt((weights * (observed - predicted) ** 2).sum())),
        perfect=float(np.quantile(errors, 0.95)),
        debiased=_debiased(given - true, bins, codes.astype(np.int64), resampling),
        likeness=likeness,
    )


def judged_class(
    labels: Labels, probabilities: Probabilities, *, positive: int | None
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """``(n,)`` each: the probability that is judged, and whether it came true."""
    if positive is not None:
        return probabilities[:, positive], labels == positive
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels


def _equal_bins(given: Vector) -> Codes:
    """``(n,)`` the bin of each scan: at most ten of equally many; scans with the same probability share one."""
    count = int(np.clip(given.size // _SCANS_A_BIN, 1, _BINS))
    edges = np.unique(np.quantile(given, np.linspace(0.0, 1.0, count + 1)[1:-1]))
    _, bins = np.unique(np.searchsorted(edges, given, side="left"), return_inverse=True)
    return bins.astype(np.int64)


def _means(values: Vector, bins: Codes) -> Vector:
    return np.bincount(bins, weights=values) / np.bincount(bins)


def _draw_true(given: Vector, codes: Codes, likeness: float, generator: np.random.Generator) -> Vector:
    """Outcomes of a perfectly calibrated model, alike within groups: a Gaussian copula with this correlation."""
    shared = generator.standard_normal(int(codes.max()) + 1)[codes]
    own = generator.standard_normal(given.size)
    return (ndtr(np.sqrt(likeness) * shared + np.sqrt(1.0 - likeness) * own) < given).astype(np.float64)


def _likeness(
    true: npt.NDArray[np.bool_], given: Vector, bins: Codes, codes: Codes, generator: np.random.Generator
) -> float:
    """The correlation under which drawn models' errors are as alike within groups as the real ones."""
    real = _pair_mean(true.astype(np.float64), bins, codes)
    for correlation in _CORRELATIONS:
        drawn = [
            _pair_mean(_draw_true(given, codes, float(correlation), generator), bins, codes)
            for _ in range(_DRAWS_FOR_LIKENESS)
        ]
        if float(np.mean(drawn)) >= real:
            return float(correlation)
    return float(_CORRELATIONS[-1])


def _pair_mean(true: Vector, bins: Codes, codes: Codes) -> float:
    """Mean product of two scans' deviations from their bin's share, over all pairs within a group."""
    share = _means(true, bins)[bins]
    deviations = (true - share) / np.sqrt(np.maximum(share * (1.0 - share), 1e-3))
    sums, squares = np.bincount(codes, weights=deviations), np.bincount(codes, weights=deviations**2)
    sizes = np.bincount(codes)
    pairs = float((sizes * (sizes - 1.0)).sum())
    return float((sums**2 - squares).sum()) / pairs if pairs else 0.0


def _debiased(errors: Vector, bins: Codes, codes: Codes, resampling: Resampling | None) -> Figure:
    """The error without what chance gives; draws add as much chance again, so it is taken off them twice."""
    table = _BinSums(errors, bins, codes)
    value = float(table.error(np.ones((1, int(codes.max()) + 1)), times=1.0)[0])
    if resampling is None or resampling.n_groups < FEWEST_GROUPS:
        return Figure(value)
    drawn = np.concatenate([table.error(counts, times=2.0) for counts in resampling.counts()])
    low, high = (float(end) for end in np.quantile(drawn, [0.025, 0.975]))
    return Figure(value, min(low, value), max(high, value), _PERCENTILE, resampling.n_groups)


class _BinSums:
    """Scans and errors by group and bin, so that a draw of groups is a product."""

    def __init__(self, errors: Vector, bins: Codes, codes: Codes) -> None:
        shape = int(codes.max()) + 1, int(bins.max()) + 1
        place = codes * shape[1] + bins
        size = shape[0] * shape[1]
        self._count = np.bincount(place, minlength=size).reshape(shape).astype(np.float64)
        self._sum = np.bincount(place, weights=errors, minlength=size).reshape(shape)

    def error(self, counts: Vector, *, times: float) -> Vector:
        """``(chunk,)`` root of the mean squared distance, less ``times`` its variance over groups; at least 0."""
        n, total = counts @ self._count, counts @ self._sum
        distance = np.nan_to_num(divided(total, n))
        squares = (
            counts @ self._sum**2
            - 2.0 * distance * (counts @ (self._sum * self._count))
            + distance**2 * (counts @ self._count**2)
        )
        groups = counts @ (self._count > 0).astype(np.float64)
        variance = np.nan_to_num(divided(np.maximum(squares, 0.0), n**2)) * np.nan_to_num(divided(groups, groups - 1.0))
        alone = groups <= 1.0  # one group tells nothing of the spread
        variance = np.where(alone, distance**2 / times, variance)
        squared = (n * (distance**2 - times * variance)).sum(axis=1) / n.sum(axis=1)
        return np.sqrt(np.maximum(squared, 0.0))
