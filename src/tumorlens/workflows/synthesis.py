"""Synthetic scans with a contact sheet, imported at once if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tumorlens.datasets import Dataset, import_scans
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.progress import SILENT, Progress
from tumorlens.workspace import Workspace

__all__ = ["import_synthetic", "synthesize_scans"]


def synthesize_scans(
    folder: Path,
    settings: SynthesisSettings,
    *,
    workspace: Workspace,
    import_as: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Make synthetic scans, and import them under a name if one is given.

    Args:
        folder: Where the images, masks and labels go; must not exist.
        settings: Patients, slices, contrasts.
        workspace: Where the data set goes.
        import_as: Its name; ``None`` for no import.
        progress: Told of every patient.

    Returns:
        Facts for ``data synthesize --json``.
    """
    synthesize(folder, settings, progress=progress)
    facts: dict[str, Any] = {
        "folder": str(folder),
        "scans": len(list((folder / "images").glob("*.png"))),
        "contact_sheet": str(folder / "contact-sheet.png"),
        "synthetic": True,
        "dataset": import_as,
    }
    if import_as is not None:
        import_synthetic(folder, import_as, workspace=workspace, progress=progress)
    return facts


def import_synthetic(folder: Path, name: str, *, workspace: Workspace, progress: Progress = SILENT) -> Dataset:
    """Import what :func:`synthesize_scans` made, by patient and marked as synthetic."""
    return import_scans(
        folder / "images",
        workspace=workspace.create(),
        name=name,
        labels=folder / "labels.csv",
        group_column="patient_id",
        synthetic=True,
        progress=progress,
    ).dataset
