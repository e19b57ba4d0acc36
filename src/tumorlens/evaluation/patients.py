"""Figures per patient, from the slices' probabilities. Knows no operating point: how labels are decided is given.

With two classes a patient has the positive reference label if any slice has it, the usual assumption where one label
stands for many instances (Dietterich, Lathrop and Lozano-Perez, Artif. Intell. 89 (1997) 31-71). The score that
matches it, the largest probability of a slice, follows any single wrong slice and grows with the number of slices; a
mean over all slices dilutes a tumour that few of them show. Between these stands the mean of the highest few, which
also holds where reference labels of slices are noisy (Li and Vasconcelos, CVPR 2015, 4277-4285).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_DRAWS
from tumorlens.evaluation.metrics import check_predictions, positive_index
from tumorlens.evaluation.summary import Summary, summarise
from tumorlens.types import Labels, Probabilities

__all__ = ["HIGHEST_SLICES", "PatientFigures", "PatientScores", "score_patients", "summarise_patients"]

HIGHEST_SLICES = 3
"""A patient's score is the mean probability of so many slices, the highest; of all where there are fewer."""

_WHY_HIGHEST = (
    "One slice with a tumour makes a patient positive, so the highest slices count; three of them, so that one wrong "
    "slice alone does not decide."
)
_WHY_MEAN = "Every patient has one reference label, so all slices count alike."


@dataclass(frozen=True, eq=False)
class PatientScores:
    """Reference label and score of each patient.

    Attributes:
        names: ``(p,)`` patients, ascending.
        labels: ``(p,)`` int64: indices into the classes.
        probabilities: ``(p, k)`` in class order, rows sum to 1; aggregated scores, not calibrated for patients.
        aggregation: How slices became a patient, in words.
        reason: Why so, in words.
    """

    names: npt.NDArray[np.str_]
    labels: Labels
    probabilities: Probabilities
    aggregation: str
    reason: str


@dataclass(frozen=True)
class PatientFigures:
    """All figures with a patient as the unit.

    Attributes:
        summary: The figures; ``None`` where there are none.
        aggregation: How slices became a patient, in words; ``None`` without figures.
        reason: Why so, or why there are no figures, in words.
    """

    summary: Summary | None
    aggregation: str | None
    reason: str


def score_patients(
    labels: Labels,
    probabilities: Probabilities,
    *,
    patients: npt.NDArray[np.str_],
    classes: Sequence[str],
    positive_class: str | None,
) -> PatientScores | None:
    """Turn slices into patients.

    Args:
        labels: ``(n,)`` reference labels of slices, indices into ``classes``.
        probabilities: ``(n, k)`` in class order.
        patients: ``(n,)`` the patient of each slice.
        classes: The class names in order.
        positive_class: The positive one of two classes; the second when ``None``.

    Returns:
        The patients; ``None`` with more than two classes where slices of one patient differ in their reference label.

    Raises:
        InputError: The predictions cannot be used.
    """
    check_predictions(labels, probabilities)
    names, codes = np.unique(patients, return_inverse=True)
    positive = positive_index(classes, positive_class)
    if positive is None:
        if _count_mixed(labels, codes):
            return None
        first = np.unique(codes, return_index=True)[1]
        means = np.stack([_mean_of_highest(column, codes, most=None) for column in probabilities.T], axis=1)
        aggregation = "the mean of all slices' probabilities; the reference label is that of the slices"
        return PatientScores(names, labels[first], means, aggregation, _WHY_MEAN)
    has = np.zeros(len(names), bool)
    has[codes[labels == positive]] = True
    scores = np.clip(_mean_of_highest(probabilities[:, positive], codes, most=HIGHEST_SLICES), 0.0, 1.0)
    both = np.empty((len(names), 2))
    both[:, positive], both[:, 1 - positive] = scores, 1.0 - scores
    aggregation = (
        f"the mean of the three highest slices' probabilities of {classes[positive]!r} (of all where there are fewer); "
        f"the reference label is {classes[positive]!r} if that of any slice is"
    )
    return PatientScores(names, np.where(has, positive, 1 - positive), both, aggregation, _WHY_HIGHEST)


def summarise_patients(
    labels: Labels,
    probabilities: Probabilities,
    *,
    patients: npt.NDArray[np.str_],
    classes: Sequence[str],
    positive_class: str | None,
    decide: Callable[[Probabilities], Labels],
    prevalence: float | None = None,
    draws: int = DEFAULT_DRAWS,
    seed: int = 0,
) -> PatientFigures:
    """Compute all figures per patient, with intervals from a bootstrap over patients.

    Args:
        labels: ``(n,)`` reference labels of slices.
        probabilities: ``(n, k)`` in class order.
        patients: ``(n,)`` the patient of each slice.
        classes: The class names in order.
        positive_class: The positive one of two classes; the second when ``None``.
        decide: ``(p, k)`` probabilities to ``(p,)`` labels: the operating point.
        prevalence: Share of patients with the positive class for which predictive values are given too.
        draws: Bootstrap draws.
        seed: Of the bootstrap.

    Raises:
        InputError: The predictions or the prevalence cannot be used.
    """
    found = score_patients(labels, probabilities, patients=patients, classes=classes, positive_class=positive_class)
    if found is None:
        names, codes = np.unique(patients, return_inverse=True)
        mixed = _count_mixed(labels, codes)
        return PatientFigures(
            None,
            None,
            f"{mixed:,} of {len(names):,} patients have slices of several classes, and with more than two classes "
            "there is no rule which of them is the patient's.",
        )
    summary = summarise(
        found.labels,
        found.probabilities,
        predicted=decide(found.probabilities),
        groups=found.names,
        groups_are="patients",
        classes=classes,
        positive_class=positive_class,
        prevalence=prevalence,
        draws=draws,
        seed=seed,
    )
    return PatientFigures(summary, found.aggregation, found.reason)


def _count_mixed(labels: Labels, codes: npt.NDArray[np.int64]) -> int:
    """Patients whose slices differ in their reference label."""
    pairs = np.unique(np.stack([codes, labels]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum())


def _mean_of_highest(
    scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int64], *, most: int | None
) -> npt.NDArray[np.float64]:
    """``(p,)``: the mean of each patient's ``most`` highest scores (``None``: of all), whatever the order of rows."""
    order = np.lexsort((-scores, codes))
    sorted_codes, sorted_scores = codes[order], scores[order]
    sizes = np.bincount(sorted_codes)
    place = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    counts = np.ones(len(codes), bool) if most is None else place < most
    sums = np.bincount(sorted_codes[counts], weights=sorted_scores[counts])
    return sums / np.bincount(sorted_codes[counts])
