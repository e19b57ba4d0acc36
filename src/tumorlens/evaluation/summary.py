"""All figures of one classifier on one set of predictions, each with an interval over groups.

Knows nothing about how scans were predicted or which part they belong to; the decided labels are given, so that an
operating point other than the largest probability counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.evaluation.bootstrap import DEFAULT_DRAWS, DEFAULT_LEVEL, Interval, Unit, resample_groups
from tumorlens.evaluation.figure import Figure, figure_of
from tumorlens.evaluation.metrics import check_predictions, positive_index
from tumorlens.evaluation.row import GroupsAre
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.evaluation.summary_points import point_figures
from tumorlens.evaluation.summary_statistics import summary_statistics
from tumorlens.types import Labels, Probabilities

__all__ = ["Summary", "check_prevalence", "summarise"]


@dataclass(frozen=True)
class Summary:
    """All figures of one classifier on one set of predictions.

    Shares, areas and the Brier score of two classes lie in 0..1, the Brier score of more in 0..2, ``mcc`` in -1..1,
    ``log_loss`` is in nats.

    Attributes:
        metrics: Name to figure. With two classes ``sensitivity``, ``specificity``, ``ppv``, ``npv``, ``f1``,
            ``roc_auc`` and ``average_precision`` are of the positive class, with more they are means over classes.
        per_class: Class to name to figure, each class against the rest.
        n_scans: Scans.
        n_groups: Groups; the scans where none are known.
        groups_are: What a group is.
        classes: Class order.
        positive_class: The positive one of two classes, else ``None``.
        prevalence: Share of the positive class that ``ppv_at_prevalence`` and ``npv_at_prevalence`` are for.
        level: Of the intervals, 0..1.
        draws: How often the groups were drawn.
    """

    metrics: Mapping[str, Figure]
    per_class: Mapping[str, Mapping[str, Figure]]
    n_scans: int
    n_groups: int
    groups_are: GroupsAre
    classes: tuple[str, ...]
    positive_class: str | None
    prevalence: float | None
    level: float
    draws: int


def summarise(
    labels: Labels,
    probabilities: Probabilities,
    *,
    predicted: Labels,
    groups: npt.NDArray[np.str_] | None,
    groups_are: GroupsAre,
    classes: Sequence[str],
    positive_class: str | None,
    prevalence: float | None = None,
    draws: int = DEFAULT_DRAWS,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> Summary:
    """Compute all figures.

    The Brier score is the squared difference between probability and truth, meant over scans: summed over the classes
    with more than two, of the positive class alone with two (half of that sum, the usual form).

    Args:
        labels: ``(n,)`` reference labels, indices into ``classes``.
        probabilities: ``(n, k)`` in class order.
        predicted: ``(n,)`` the labels decided on.
        groups: ``(n,)`` group of each scan; ``None`` without groups.
        groups_are: What a group is; "none": scans are drawn one by one.
        classes: The class names in order.
        positive_class: The positive one of two classes; the second when ``None``.
        prevalence: Share of the positive class, between 0 and 1, for which predictive values are given too.
        draws: Bootstrap draws.
        level: Of the intervals, 0..1.
        seed: Of the bootstrap.

    Raises:
        InputError: The predictions cannot be used, or a prevalence is no share or given with more than two classes.
    """
    check_predictions(labels, probabilities)
    check_prevalence(prevalence, n_classes=len(classes))
    positive = positive_index(classes, positive_class)
    points = point_figures(
        labels, probabilities, predicted=predicted, classes=classes, positive=positive, prevalence=prevalence
    )
    unit: Unit = "scans" if groups_are == "none" or groups is None else groups_are
    resampling = resample_groups(groups, n_scans=labels.size, unit=unit, draws=draws, seed=seed)
    intervals: dict[tuple[str, str], Interval | None] = {}
    if resampling is not None:
        statistics = summary_statistics(
            labels,
            probabilities,
            predicted=predicted,
            codes=resampling.codes,
            classes=classes,
            positive=positive,
            prevalence=prevalence,
        )
        names = {f"{owner}/{name}": (owner, name) for owner, name in points}
        defined = {
            key: (value, statistics[place]) for key, place in names.items() if (value := points[place]) is not None
        }
        found = honest_intervals(defined, resampling=resampling, level=level)
        intervals = {names[key]: interval for key, interval in found.items()}
    figures = {place: figure_of(value, intervals.get(place)) for place, value in points.items()}
    return Summary(
        metrics={name: figure for (owner, name), figure in figures.items() if not owner},
        per_class={
            label: {name: figure for (owner, name), figure in figures.items() if owner == label} for label in classes
        },
        n_scans=int(labels.size),
        n_groups=1 if resampling is None else resampling.n_groups,
        groups_are="none" if unit == "scans" else unit,
        classes=tuple(classes),
        positive_class=None if positive is None else classes[positive],
        prevalence=prevalence,
        level=level,
        draws=draws,
    )


def check_prevalence(prevalence: float | None, *, n_classes: int) -> None:
    """Raise unless predictive values can be given at this prevalence; ``None`` asks for none.

    Raises:
        InputError: There are more than two classes, or it is no share between 0 and 1.
    """
    if prevalence is not None and (n_classes != 2 or not 0.0 < prevalence < 1.0):
        raise InputError(
            f"Expected a prevalence between 0 and 1 (0.05 for 5 %) and two classes, got {prevalence} and {n_classes} "
            "classes: leave it out or mend it."
        )
