r"""Intervals from a bootstrap over groups. Knows values, scores and groups, but no models.

Slices of one patient resemble each other, so the groups are drawn with replacement, each with all
its scans, and the figure is computed anew for every draw; the interval runs between the percentiles
of those figures (the cluster bootstrap: Field and Welsh, "Bootstrapping clustered data", J. R.
Stat. Soc. B 69 (2007) 369-390; percentiles: Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13). Nothing is looped over draws: a draw is a row of counts :math:`c_g`,
how often group :math:`g` was drawn, and figures are sums weighted by it.

Which interval a figure gets, where groups are few or all alike, is decided in
:mod:`tumorlens.evaluation.small_groups`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "DEFAULT_DRAWS",
    "DEFAULT_LEVEL",
    "Auc",
    "DrawStatistic",
    "Interval",
    "Resampling",
    "Unit",
    "bootstrap_intervals",
    "resample_groups",
]

Unit: TypeAlias = Literal["patients", "clusters", "scans"]
"""What is drawn with replacement."""

Vector: TypeAlias = npt.NDArray[np.float64]

DEFAULT_DRAWS = 2_000
DEFAULT_LEVEL = 0.95
_PERCENTILE = "percentile bootstrap"
_CONSTANT = "constant scores"
_NO_VARIATION = 1e-12
_CHUNK_VALUES = 2_000_000  # one number a scan and draw, held at once: 16 MB


@dataclass(frozen=True)
class Interval:
    """A figure and how far it may be off.

    Attributes:
        value: The figure itself, on the scans as they are.
        low: Lower end.
        high: Upper end.
        level: Share of such intervals meant to hold the true value, 0..1.
        method: "percentile bootstrap", "bootstrap-t", "effective sample size", "exact binomial" or "constant scores".
        n_groups: Groups it rests on; below about 30 a percentile interval is too narrow.
        unit: What a group is.
        draws: How often the groups were drawn.
    """

    value: float
    low: float
    high: float
    level: float
    method: str
    n_groups: int
    unit: Unit
    draws: int


@dataclass(frozen=True)
class Resampling:
    """Which scans belong together, and how they are drawn.

    Attributes:
        codes: ``(n,)`` int64 in ``0..n_groups - 1``: the group of each scan.
        n_groups: Number of groups, at least 2.
        unit: What a group is.
        draws: How often the groups are drawn.
        seed: Same seed, same draws.
    """

    codes: npt.NDArray[np.int64]
    n_groups: int
    unit: Unit
    draws: int
    seed: int

    def counts(self) -> Iterator[Vector]:
        """Yield ``(chunk, n_groups)`` float64: how often each group stands in each draw."""
        generator = np.random.default_rng(self.seed)
        chunk = max(1, _CHUNK_VALUES // self.codes.size)
        for start in range(0, self.draws, chunk):
            size = min(chunk, self.draws - start)
            drawn = generator.integers(0, self.n_groups, size=(size, self.n_groups))
            drawn += np.arange(size)[:, None] * self.n_groups
            counted = np.bincount(drawn.ravel(), minlength=size * self.n_groups)
            yield counted.reshape(size, self.n_groups).astype(np.float64)


class DrawStatistic(Protocol):
    """A figure that can be computed for many draws at once."""

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: one figure a draw from ``(chunk, n_groups)`` counts; NaN: not defined."""

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """Ends and method of the interval where all draws are alike; ``None``: there is none."""


class Auc:
    """The area under the ROC curve; with several targets, the mean of their areas."""

    def __init__(self, scores: Vector, is_target: npt.NDArray[np.bool_], *, codes: npt.NDArray[np.int64]) -> None:
        """Sort once: ``scores`` and ``is_target`` are ``(n, targets)``, ``codes`` is ``(n,)``."""
        self._ranked = [
            _RankedTarget(scores[:, column], is_target[:, column], codes) for column in range(scores.shape[1])
        ]

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: the mean over the targets that are defined in a draw."""
        areas = np.stack([ranked.over(counts) for ranked in self._ranked])
        defined = ~np.isnan(areas)
        total = np.where(defined, areas, 0.0).sum(axis=0)
        return np.divide(total, defined.sum(axis=0), out=np.full(total.shape, np.nan), where=defined.any(axis=0))

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """0.5 to 0.5 for constant scores, whose area is 0.5 by definition; else ``None``."""
        return (0.5, 0.5, _CONSTANT) if all(ranked.constant for ranked in self._ranked) else None


class _RankedTarget:
    r"""Sorted scores of one target against the rest.

    With weights :math:`w`, the area is :math:`\sum_i w_i (B_i + T_i / 2) / (W^+ W^-)` over the
    target's scans, where :math:`B_i` is the weight of other scans below scan :math:`i` and
    :math:`T_i` of those tied with it: both are read from one cumulative sum, at places that do not
    depend on the draw.
    """

    def __init__(self, scores: Vector, is_target: npt.NDArray[np.bool_], codes: npt.NDArray[np.int64]) -> None:
        others = np.sort(scores[~is_target])
        own_order = np.argsort(scores[is_target], kind="stable")
        own = scores[is_target][own_order]
        self.constant = np.unique(scores).size == 1
        self._own_groups = codes[is_target][own_order]
        self._other_groups = codes[~is_target][np.argsort(scores[~is_target], kind="stable")]
        self._below = np.searchsorted(others, own, side="left")
        self._not_above = np.searchsorted(others, own, side="right")

    def over(self, counts: Vector) -> Vector:
        own = counts[:, self._own_groups]
        beaten = np.zeros((len(counts), self._other_groups.size + 1))
        np.cumsum(counts[:, self._other_groups], axis=1, out=beaten[:, 1:])
        pairs_won = 0.5 * np.einsum("ij,ij->i", own, beaten[:, self._below] + beaten[:, self._not_above])
        pairs = own.sum(axis=1) * beaten[:, -1]
        return np.divide(pairs_won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)


def resample_groups(
    groups: npt.NDArray[np.str_] | None,
    *,
    n_scans: int,
    unit: Unit,
    draws: int = DEFAULT_DRAWS,
    seed: int = 0,
) -> Resampling | None:
    """Say how scans are drawn.

    Args:
        groups: ``(n,)`` group name of each scan; ``None``: no groups are known or wanted, scans are
            drawn one by one (too narrow an interval where scans resemble each other; the unit then
            says "scans").
        n_scans: Number of scans.
        unit: What a group is; "scans" without groups.
        draws: How often.
        seed: Same seed, same draws.

    Returns:
        The resampling, or ``None`` with fewer than two groups: then there is no interval.
    """
    if groups is None or unit == "scans":
        codes, n_groups, unit = np.arange(n_scans, dtype=np.int64), n_scans, "scans"
    else:
        names, codes = np.unique(groups, return_inverse=True)
        n_groups = len(names)
    if n_groups < 2:
        return None
    return Resampling(codes=codes.astype(np.int64), n_groups=n_groups, unit=unit, draws=draws, seed=seed)


def bootstrap_intervals(
    statistics: Mapping[str, tuple[float, DrawStatistic]],
    *,
    resampling: Resampling,
    level: float = DEFAULT_LEVEL,
) -> dict[str, Interval | None]:
    """Percentile intervals of several figures from the same draws, in one pass over them.

    Args:
        statistics: Name to (value on the scans as they are, figure to compute on draws).
        resampling: How scans are drawn.
        level: Share of such intervals meant to hold the true value, 0..1.

    Returns:
        Name to interval; ``None`` where the figure is undefined in more than half of the draws, or
        is the same in all of them and no exact interval takes their place.
    """
    chunks: dict[str, list[Vector]] = {name: [] for name in statistics}
    for counts in resampling.counts():
        for name, (_, statistic) in statistics.items():
            chunks[name].append(statistic.over(counts))
    return {
        name: _interval(value, np.concatenate(chunks[name]), statistic, resampling, level)
        for name, (value, statistic) in statistics.items()
    }


def _interval(
    value: float, drawn: Vector, statistic: DrawStatistic, resampling: Resampling, level: float
) -> Interval | None:
    defined = drawn[~np.isnan(drawn)]
    if 2 * defined.size < drawn.size:
        return None
    tail = (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(defined, [tail, 1.0 - tail]))
    method = _PERCENTILE
    if np.ptp(defined) < _NO_VARIATION:
        ends = statistic.unvarying(n_groups=resampling.n_groups, level=level)
        if ends is None:
            return None
        low, high, method = ends
    n_groups, unit, draws = resampling.n_groups, resampling.unit, resampling.draws
    return Interval(value, low, high, level, method, n_groups, unit, draws)
