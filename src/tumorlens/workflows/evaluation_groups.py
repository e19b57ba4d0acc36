"""What an evaluation says beyond all scans together: figures per patient and by level of a column, where errors are.

Predicts nothing: the judged scans and their decided labels are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import Dataset
from tumorlens.errors import InputError
from tumorlens.evaluation.failures import find_failures
from tumorlens.evaluation.levels import MOST_LEVELS, has_few_levels
from tumorlens.evaluation.patients import PatientFigures, summarise_patients
from tumorlens.evaluation.subgroups import compare_subgroups
from tumorlens.types import Labels, Probabilities
from tumorlens.workflows.evaluation_findings import GroupFindings

__all__ = ["NOT_SHOWN", "JudgedLabels", "check_columns", "column_values", "columns_to_divide_by", "find_by_group"]
__all__ += ["shown_columns"]

NOT_SHOWN = frozenset({"volume", "receipt", "label_before", "published_part", "timepoint", "slice_position_mm"})
"""Columns that could name a person or a file, or are no property of the scan: no report shows them."""

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


def columns_to_divide_by(dataset: Dataset) -> list[str]:
    """The columns of the manifest that scans can be divided by."""
    return [name for name in _offered(dataset) if has_few_levels(column_values(dataset.manifest[name]))]


def shown_columns(dataset: Dataset) -> list[str]:
    """Those of them that a report may show: none that could name a person or a file, or say what was found out."""
    return [name for name in columns_to_divide_by(dataset) if name not in NOT_SHOWN]


def _offered(dataset: Dataset) -> list[str]:
    return [str(name) for name in dataset.manifest.columns if name not in _IDENTITY]


def check_columns(dataset: Dataset, columns: Iterable[str]) -> None:
    """Raise unless scans can be divided by all these columns.

    Raises:
        InputError: A column is not in the manifest, names single scans, or has too many different words; the message
            lists the choices.
    """
    offered, able = _offered(dataset), columns_to_divide_by(dataset)
    for name in columns:
        if name in able:
            continue
        choices = ", ".join(able)
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
            values=column_values(dataset.manifest[column].iloc[judged.rows]),
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


def column_values(column: pd.Series) -> list[object]:
    """Its values, ``None`` where one is missing."""
    return column.astype(object).where(column.notna(), None).tolist()
