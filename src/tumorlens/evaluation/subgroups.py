"""Figures by level of a column (scanner, image mode, age): where a model does worse than its overall figure says.

Knows nothing about where the column came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_DRAWS
from tumorlens.evaluation.levels import divide_by_value
from tumorlens.evaluation.row import GroupsAre
from tumorlens.evaluation.summary import Figure, summarise
from tumorlens.types import Labels, Probabilities

__all__ = ["SUBGROUP_FIGURES", "Subgroup", "Subgroups", "compare_subgroups"]

SUBGROUP_FIGURES = ("accuracy", "sensitivity", "specificity", "roc_auc")
"""What is given for each level; with two classes the last three are of the positive class, with more means."""


@dataclass(frozen=True)
class Subgroup:
    """The scans with one level of a column.

    Attributes:
        name: The level.
        n_scans: Its scans.
        n_groups: Groups with a scan in it; a group may have scans in several levels.
        metrics: Name to figure: :data:`SUBGROUP_FIGURES`.
    """

    name: str
    n_scans: int
    n_groups: int
    metrics: Mapping[str, Figure]


@dataclass(frozen=True)
class Subgroups:
    """Figures by the levels of one column.

    Attributes:
        column: Its name.
        levels: Its levels, in order.
        cuts: Where a column of numbers was cut at its quartiles; ``None`` for one level a value.
    """

    column: str
    levels: tuple[Subgroup, ...]
    cuts: tuple[float, ...] | None

    @property
    def judged(self) -> tuple[Subgroup, ...]:
        """The levels whose accuracy has an interval: only these are compared."""
        return tuple(level for level in self.levels if level.metrics["accuracy"].low is not None)

    @property
    def worst(self) -> Subgroup | None:
        """The judged level with the lowest accuracy, the first when tied; ``None`` with fewer than two judged."""
        judged = self.judged
        return min(judged, key=_accuracy) if len(judged) > 1 else None


def compare_subgroups(
    labels: Labels,
    probabilities: Probabilities,
    *,
    predicted: Labels,
    groups: npt.NDArray[np.str_],
    groups_are: GroupsAre,
    classes: Sequence[str],
    positive_class: str | None,
    column: str,
    values: Iterable[object],
    draws: int = DEFAULT_DRAWS,
    seed: int = 0,
) -> Subgroups:
    """Compute figures by level; intervals by the same rule as of all scans together.

    Args:
        labels: ``(n,)`` reference labels.
        probabilities: ``(n, k)`` in class order.
        predicted: ``(n,)`` the labels decided on.
        groups: ``(n,)`` group of each scan.
        groups_are: What a group is.
        classes: The class names in order.
        positive_class: The positive one of two classes; the second when ``None``.
        column: Name of the column.
        values: ``n`` values, divided by :func:`~tumorlens.evaluation.levels.divide_by_value`.
        draws: Bootstrap draws.
        seed: Of the bootstrap.

    Raises:
        InputError: The predictions cannot be used.
    """
    levels = divide_by_value(values)
    found = []
    for code, name in enumerate(levels.names):
        rows = levels.codes == code
        summary = summarise(
            labels[rows],
            probabilities[rows],
            predicted=predicted[rows],
            groups=groups[rows],
            groups_are=groups_are,
            classes=classes,
            positive_class=positive_class,
            draws=draws,
            seed=seed,
        )
        metrics = {figure: summary.metrics[figure] for figure in SUBGROUP_FIGURES}
        found.append(Subgroup(name, summary.n_scans, summary.n_groups, metrics))
    return Subgroups(column, tuple(found), levels.cuts)


def _accuracy(level: Subgroup) -> float:
    value = level.metrics["accuracy"].value
    return np.inf if value is None else value
