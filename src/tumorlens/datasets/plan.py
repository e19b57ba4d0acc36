"""What an import will do, settled before anything is decoded: labels, patients, choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tumorlens.datasets.classes import order_classes, rename_labels
from tumorlens.datasets.groups import patients_of
from tumorlens.datasets.manifest import check_extra_names
from tumorlens.datasets.source import ScanSource
from tumorlens.errors import InputError
from tumorlens.scans import AS_READ, PixelSteps, Reading

__all__ = ["ImportPlan", "check_classes", "make_plan"]


@dataclass(frozen=True)
class ImportPlan:
    """A source with its labels and patients.

    Attributes:
        name: Name of the data set.
        source: What is read.
        labels: Each row's label, renamed where asked.
        patients: Each row's patient, if known.
        synthetic: Whether the scans are made up.
        drop_conflicts: Whether scans with two labels are left out.
        skip_unreadable: Whether unreadable files are left out.
        pixel_steps: What is done to every scan after reading.
        scan_steps: The steps between a file and the stored pixels.
    """

    name: str
    source: ScanSource = field(repr=False)
    labels: list[str] = field(repr=False)
    patients: list[str] | None = field(repr=False)
    synthetic: bool
    drop_conflicts: bool
    skip_unreadable: bool
    pixel_steps: PixelSteps = AS_READ
    scan_steps: tuple[str, ...] = ()


def make_plan(
    source: ScanSource,
    *,
    name: str,
    class_names: Mapping[str, str],
    group_pattern: str | None,
    group_column: str | None = None,
    synthetic: bool,
    drop_conflicts: bool,
    skip_unreadable: bool,
    reading: Reading,
) -> ImportPlan:
    """Settle labels and patients; arguments as for :func:`tumorlens.datasets.import_scans`.

    Raises:
        InputError: There are no scans, one class only, or names or patterns that do not fit.
    """
    if not source.rows:
        raise InputError("The source holds no scans: give a folder or file with some.")
    check_extra_names(list(source.rows[0].extra))
    labels = rename_labels([row.label for row in source.rows], class_names)
    check_classes(labels)
    patients = patients_of(source.rows, pattern=group_pattern, group_column=group_column)
    if group_pattern is not None and any(row.patient is not None for row in source.rows):
        note = "Patients are those of the group pattern; those that the source itself names were not used."
        source = replace(source, notes=(*source.notes, note))
    return ImportPlan(
        name=name,
        source=source,
        labels=labels,
        patients=patients,
        synthetic=synthetic,
        drop_conflicts=drop_conflicts,
        skip_unreadable=skip_unreadable,
        pixel_steps=reading.pixel_steps,
        scan_steps=reading.steps(volumes=source.from_volumes),
    )


def check_classes(labels: Sequence[str]) -> None:
    """Raise unless there are at least two classes.

    Raises:
        InputError: All labels are the same.
    """
    classes = order_classes(labels)
    if len(classes) == 1:
        raise InputError(
            f"All {len(labels)} scans have the label {classes[0]!r}, expected at least two "
            "classes: check the label column or add scans of another class."
        )
