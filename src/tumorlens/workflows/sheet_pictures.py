"""The contact sheet of a data set as a picture for a report."""

from __future__ import annotations

from tumorlens.datasets import Dataset
from tumorlens.reports import Picture

__all__ = ["sheet_pictures"]


def sheet_pictures(dataset: Dataset) -> list[Picture]:
    """The contact sheet of a data set, where it has one."""
    sheet = dataset.contact_sheet
    if not sheet.is_file():
        return []
    kind = "synthetic scans" if dataset.synthetic else "scans"
    return [Picture(sheet.read_bytes(), f"Examples of each class: {kind}.", f"Some of the {kind} by class.")]
