"""Sets of classes that hold the reference label as often as wanted, each class by itself, for scans of new groups.

Split conformal prediction by class (Vovk, "Conditional validity of inductive conformal predictors", 2012) with one
minus the probability of a class as its score, and quantiles over groups (:mod:`tumorlens.evaluation.hierarchical`).
Knows nothing about how probabilities came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_LEVEL, Resampling
from tumorlens.evaluation.figure import Figure, share_figures
from tumorlens.evaluation.hierarchical import group_quantile
from tumorlens.types import Labels, Probabilities

__all__ = ["ConformalFigures", "class_thresholds", "conformal_figures", "conformal_sets"]


@dataclass(frozen=True)
class ConformalFigures:
    """How prediction sets did on scans they were not made with; shares in 0..1.

    Attributes:
        wanted: The coverage they were made for.
        coverage: Share of scans whose set holds the reference label.
        group_coverage: The same with the scans of a class in a group weighing one together: what the sets promise.
        by_class: The coverage by reference label.
        empty: Share of scans with an empty set.
        single: Share with exactly one class.
        several: Share with two classes or more.
        single_error: Share of the single ones whose class is not the reference label.
    """

    wanted: float
    coverage: Figure
    group_coverage: Figure
    by_class: Mapping[str, Figure]
    empty: Figure
    single: Figure
    several: Figure
    single_error: Figure


def class_thresholds(
    labels: Labels, probabilities: Probabilities, groups: npt.NDArray[np.str_], *, wanted: float
) -> tuple[float, ...] | None:
    """The probability from which on each class stands in the set.

    Args:
        labels: ``(n,)`` reference labels of the calibration part.
        probabilities: ``(n, k)``.
        groups: ``(n,)``.
        wanted: Coverage in 0..1.

    Returns:
        A threshold in 0..1 a class; ``None`` where a class stands in too few groups
        (:func:`~tumorlens.evaluation.hierarchical.groups_needed`).
    """
    found = []
    for target in range(probabilities.shape[1]):
        own = labels == target
        score = group_quantile(1.0 - probabilities[own, target], groups[own], level=wanted)
        if score is None:
            return None
        found.append(1.0 - score)
    return tuple(found)


def conformal_sets(probabilities: Probabilities, thresholds: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """``(n, k)``: whether each class stands in the set of each scan."""
    return probabilities >= np.asarray(thresholds)


def conformal_figures(
    sets: npt.NDArray[np.bool_],
    labels: Labels,
    *,
    classes: tuple[str, ...],
    wanted: float,
    resampling: Resampling | None,
    level: float = DEFAULT_LEVEL,
) -> ConformalFigures:
    """Judge sets on scans that they were not made with.

    Args:
        sets: ``(n, k)``.
        labels: ``(n,)`` reference labels.
        classes: Class names.
        wanted: The coverage that the sets were made for.
        resampling: Groups for the intervals; ``None``: no intervals.
        level: Of the intervals.
    """
    covered = sets[np.arange(labels.size), labels]
    size = sets.sum(axis=1)
    codes = np.zeros(labels.size, np.int64) if resampling is None else resampling.codes
    cells = codes * len(classes) + labels
    alike = 1.0 / np.bincount(cells)[cells]  # all scans of a class in a group weigh one together
    every = np.ones(labels.size)
    shares = {
        "coverage": (covered, every),
        "group_coverage": (covered * alike, alike),
        "empty": (size == 0, every),
        "single": (size == 1, every),
        "several": (size > 1, every),
        "single_error": ((size == 1) & ~covered, size == 1),
    }
    by_class = {name: (covered & (labels == place), labels == place) for place, name in enumerate(classes)}
    return ConformalFigures(
        wanted=wanted,
        by_class=share_figures(by_class, resampling=resampling, level=level),
        **share_figures(shares, resampling=resampling, level=level),
    )
