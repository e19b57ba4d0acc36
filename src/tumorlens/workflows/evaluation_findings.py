"""What an evaluation says by group, and its form in JSON. Computes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tumorlens.evaluation.failures import Failures
from tumorlens.evaluation.patients import PatientFigures
from tumorlens.evaluation.small_groups import FEW_GROUPS
from tumorlens.evaluation.subgroups import Subgroup, Subgroups

__all__ = ["OF_SLICES", "GroupFindings"]

OF_SLICES = "The operating point is that of slices: none was chosen for patients, and their scores are not calibrated."
"""What must be said of every label that was decided for a patient."""


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


def _is_narrow(level: Subgroup) -> bool:
    return level.n_groups < FEW_GROUPS and level.metrics["roc_auc"].low is not None


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
