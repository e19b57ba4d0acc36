"""What an evaluation says beyond all scans together: figures per patient and by level of a column, where errors are.

Predicts nothing: the judged scans and their decided labels are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import Dataset
from tumorlens.errors import InputError
from tumorlens.evaluation.failures import Failures, find_failures
from tumorlens.evaluation.levels import MOST_LEVELS, has_few_levels
from tumorlens.evaluation.patients import PatientFigures, summarise_patients
from tumorlens.evaluation.small_groups import FEW_GROUPS
from tumorlens.evaluation.subgroups import Subgroup, Subgroups, compare_subgroups
from tumorlens.types import Labels, Probabilities

__all__ = ["OF_SLICES", "GroupFindings", "JudgedLabels", "check_columns", "find_by_group"]

OF_SLICES = "The operating point is that of slices: none was chosen for patients, and their scores are not calibrated."
"""What must be said of every label that was decided for a patient."""

_IDENTITY = frozenset({"row_id", "source", "pixel_digest", "label", "group", "copy_of"})
_ONLY_CLUSTERS = "the data set names no patients, only clusters are known."
_ALL_SEEN = "the model was made with slices of every patient here."


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedLabels:
    """The scans that figures rest on, in the model's class order.

    Attributes:
        rows: ``(m,)`` row ids of the data set.
        labels: ``(m,)`` reference labels.
        probabilities: ``(m, k)``.
        predicted: ``(m,)`` the labels decided on.
        classes: The class names in order.
        positive_class: The positive one of two classes, else ``None``.
    """

    rows: npt.NDArray[np.int64]
    labels: Labels
    probabilities: Probabilities
    predicted: Labels
    classes: tuple[str, ...]
    positive_class: str | None


@dataclass(frozen=True, kw_only=True)
class GroupFindings:
    """Figures per patient, by level, and of single groups.

    Attributes:
        per_patient: Figures with a patient as the unit, or why there are none.
        patients_left_out: Patients without a figure because the model was made with some of their slices.
        subgroups: Figures by level of each column asked for.
        failures: Where the errors are.
    """

    per_patient: PatientFigures
    patients_left_out: int
    subgroups: tuple[Subgroups, ...]
    failures: Failures

    @property
    def notes(self) -> tuple[str, ...]:
        """Why there are no figures for patients, or whom they leave out, and which intervals are too narrow."""
        found = []
        if self.per_patient.summary is None:
            found.append(f"There are no figures for patients: {self.per_patient.reason}")
        elif self.patients_left_out:
            patients = self.patients_left_out + self.per_patient.summary.n_groups
            found.append(
                f"Figures per patient leave out {self.patients_left_out:,} of {patients:,} patients: the model was "
                "made with some of their slices."
            )
        if any(_is_narrow(level) for column in self.subgroups for level in column.levels):
            found.append(f"Intervals of ROC areas of levels with fewer than {FEW_GROUPS} groups are too narrow.")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """The keys ``per_patient``, ``subgroups`` and of errors by group, as documented for ``evaluate --json``."""
        failures = self.failures
        return {
            "per_patient": _patients_json(self.per_patient, left_out=self.patients_left_out),
            "subgroups": [_subgroups_json(found) for found in self.subgroups],
            "failures": [
                {"group": own.group, "n_scans": own.n_scans, "n_errors": own.n_errors, "share": own.share}
                for own in failures.worst
            ],
            "n_errors": failures.n_errors,
            "groups_with_errors": failures.n_groups,
            "groups_with_half_of_errors": failures.groups_with_half,
        }


def check_columns(dataset: Dataset, columns: Iterable[str]) -> None:
    """Raise unless scans can be divided by all these columns.

    Raises:
        InputError: A column is not in the manifest, names single scans, or has too many different words; the message
            lists the choices.
    """
    offered = [str(name) for name in dataset.manifest.columns if name not in _IDENTITY]
    for name in columns:
        if name in offered and has_few_levels(_values(dataset.manifest[name])):
            continue
        choices = ", ".join(other for other in offered if has_few_levels(_values(dataset.manifest[other])))
        why = f" ({dataset.manifest[name].nunique():,} values, more than {MOST_LEVELS})" if name in offered else ""
        raise InputError(f"Scans cannot be divided by a column {name!r}{why}: choose among {choices}.")


def find_by_group(
    dataset: Dataset,
    judged: JudgedLabels,
    *,
    decide: Callable[[Probabilities], Labels],
    by: Sequence[str],
    prevalence: float | None,
    seed: int,
) -> GroupFindings:
    """Compute all that is said by group.

    Args:
        dataset: The scans.
        judged: Those that count, with what was predicted.
        decide: ``(p, k)`` probabilities to ``(p,)`` labels: the operating point.
        by: Columns that :func:`check_columns` let pass; each counts once.
        prevalence: Share of the positive class for which predictive values are given too.
        seed: Of the bootstrap.
    """
    groups = dataset.groups[judged.rows]
    per_patient, left_out = _per_patient(dataset, judged, decide=decide, prevalence=prevalence, seed=seed)
    subgroups = tuple(
        compare_subgroups(
            judged.labels,
            judged.probabilities,
            predicted=judged.predicted,
            groups=groups,
            groups_are=dataset.groups_are,
            classes=judged.classes,
            positive_class=judged.positive_class,
            column=column,
            values=_values(dataset.manifest[column].iloc[judged.rows]),
            seed=seed,
        )
        for column in dict.fromkeys(by)
    )
    return GroupFindings(
        per_patient=per_patient,
        patients_left_out=left_out,
        subgroups=subgroups,
        failures=find_failures(judged.labels, judged.predicted, groups=groups),
    )


def _per_patient(
    dataset: Dataset,
    judged: JudgedLabels,
    *,
    decide: Callable[[Probabilities], Labels],
    prevalence: float | None,
    seed: int,
) -> tuple[PatientFigures, int]:
    """Figures of the patients all of whose slices are judged, a slice and its copies counted once; and the others."""
    if dataset.groups_are != "patients":
        return PatientFigures(None, None, _ONLY_CLUSTERS), 0
    groups, seen = dataset.groups, np.ones(len(dataset), bool)
    seen[judged.rows] = False
    partly = np.intersect1d(groups[seen], groups[judged.rows])
    own = pd.DataFrame({"patient": groups[judged.rows], "pixels": dataset.digests[judged.rows]})
    kept = ~(own["patient"].isin(partly) | own.duplicated()).to_numpy()
    if not kept.any():
        return PatientFigures(None, None, _ALL_SEEN), len(partly)
    figures = summarise_patients(
        judged.labels[kept],
        judged.probabilities[kept],
        patients=groups[judged.rows][kept],
        classes=judged.classes,
        positive_class=judged.positive_class,
        decide=decide,
        prevalence=prevalence,
        seed=seed,
    )
    return figures, len(partly)


def _is_narrow(level: Subgroup) -> bool:
    return level.n_groups < FEW_GROUPS and level.metrics["roc_auc"].low is not None


def _values(column: pd.Series) -> list[object]:
    return column.astype(object).where(column.notna(), None).tolist()


def _patients_json(found: PatientFigures, *, left_out: int) -> dict[str, Any] | None:
    if found.summary is None:
        return None
    return {
        "metrics": {name: asdict(figure) for name, figure in found.summary.metrics.items()},
        "n_patients": found.summary.n_scans,
        "left_out": left_out,
        "aggregation": found.aggregation,
        "reason": found.reason,
        "operating_point": OF_SLICES,
    }


def _subgroups_json(found: Subgroups) -> dict[str, Any]:
    return {
        "column": found.column,
        "cuts": None if found.cuts is None else list(found.cuts),
        "levels": [_level_json(level) for level in found.levels],
        "worst": None if found.worst is None else found.worst.name,
    }


def _level_json(level: Subgroup) -> dict[str, Any]:
    return {
        "level": level.name,
        "n_scans": level.n_scans,
        "n_groups": level.n_groups,
        "metrics": {name: asdict(figure) for name, figure in level.metrics.items()},
    }
