r"""Whether one classifier is better than another on the same scans: difference, interval and test over groups.

The interval is the paired cluster bootstrap: whole groups are drawn, the same for both classifiers. The test flips the
sign of each group's difference (Fisher's randomisation test; Good, "Permutation, Parametric and Bootstrap Tests of
Hypotheses", 2005, chapter 3): were the two alike, each group's difference could as well have been the other way round.
Where several differences are looked at together, Holm's step-down method keeps the chance of any false one (Holm,
Scand. J. Statist. 6 (1979) 65-70). Knows nothing about how a scan was predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.evaluation.bootstrap import DEFAULT_DRAWS, DEFAULT_LEVEL, Unit, resample_groups
from tumorlens.evaluation.group_sums import Mean

__all__ = ["Difference", "adjust_holm", "paired_difference", "sign_flip_p"]

_MOST_ENUMERATED = 12  # groups that differ; 4,096 ways to flip them
_FLIPS = 10_000
_FLIPS_AT_ONCE = 1_000
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The test accuracy of a first classifier minus that of a second, on the same scans.

    Attributes:
        first: Run, or name of the baseline.
        second: What it is set against, likewise.
        value: In -1..1; above 0 where the first is better.
        low: Lower end of its 95 % interval; ``None`` where there is none: fewer than two groups, or no scan on which
            only one of the two is right.
        high: Upper end.
        p: Two-sided p-value of the sign-flip test over groups, 0..1; ``None`` with fewer than two groups.
        p_adjusted: The same after Holm's adjustment for all differences of one comparison.
        n_groups: Groups of the test part.
        unit: What a group is.
    """

    first: str
    second: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    n_groups: int
    unit: Unit


def paired_difference(
    first_right: npt.NDArray[np.bool_],
    second_right: npt.NDArray[np.bool_],
    *,
    names: tuple[str, str],
    groups: npt.NDArray[np.str_],
    unit: Unit,
    draws: int = DEFAULT_DRAWS,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> Difference:
    """The difference in accuracy of two classifiers; its p-value is not adjusted yet.

    Args:
        first_right: ``(n,)`` whether the first is right about each scan.
        second_right: ``(n,)`` the same of the second.
        names: What the two are called.
        groups: ``(n,)`` group of each scan.
        unit: What a group is.
        draws: Bootstrap draws.
        level: Of the interval, 0..1.
        seed: Of draws and flips.

    Raises:
        InputError: The three do not belong to the same scans, or there are none.
    """
    if not first_right.size or first_right.shape != second_right.shape or first_right.shape != groups.shape:
        raise InputError(
            "Two classifiers can only be compared on the same scans, got "
            f"{first_right.size} and {second_right.size} answers and {groups.size} groups."
        )
    change = first_right.astype(np.float64) - second_right.astype(np.float64)
    resampling = resample_groups(groups, n_scans=change.size, unit=unit, draws=draws, seed=seed)
    low = high = p = None
    if resampling is not None:
        p = sign_flip_p(np.bincount(resampling.codes, weights=change).astype(np.float64), seed=seed)
        if change.any():
            mean = Mean(change, codes=resampling.codes, share=False)
            drawn = np.concatenate([mean.over(counts) for counts in resampling.counts()])
            tail = (1.0 - level) / 2.0
            low, high = (float(end) for end in np.quantile(drawn, [tail, 1.0 - tail]))
    return Difference(
        first=names[0],
        second=names[1],
        value=float(change.mean()),
        low=low,
        high=high,
        p=p,
        p_adjusted=p,
        n_groups=1 if resampling is None else resampling.n_groups,
        unit=unit,
    )


def sign_flip_p(sums: npt.NDArray[np.float64], *, seed: int = 0) -> float:
    """Two-sided p-value of the sum of group differences, were each as likely to have the other sign.

    All sign patterns are gone through for up to 12 groups that differ; for more, 10,000 are drawn and the observed one
    counts as one of them, so that no p-value is 0.

    Args:
        sums: ``(g,)`` a difference a group; groups without one play no role.
        seed: Of the drawn signs.

    Returns:
        In 0..1; 1 where no group differs.
    """
    moved = sums[sums != 0.0]
    if not moved.size:
        return 1.0
    observed = abs(float(moved.sum())) - _ROUNDING
    if moved.size <= _MOST_ENUMERATED:
        bits = np.arange(2**moved.size)[:, None] >> np.arange(moved.size) & 1
        return float((np.abs((1 - 2 * bits) @ moved) >= observed).mean())
    generator = np.random.default_rng(seed)
    beyond = sum(
        int((np.abs((1 - 2 * generator.integers(0, 2, (_FLIPS_AT_ONCE, moved.size))) @ moved) >= observed).sum())
        for _ in range(_FLIPS // _FLIPS_AT_ONCE)
    )
    return (beyond + 1) / (_FLIPS + 1)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    Args:
        p_values: Of all tests that are looked at together, each in 0..1.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(order.tolist()):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = reached
    return adjusted
