"""Synthetic scans with a contact sheet, imported at once if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from tumorlens.datasets import Dataset, draw_sheet, import_scans
from tumorlens.datasets.dataset import CONTACT_SHEET
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.datasets.synthesis.settings import SCALINGS, Scaling
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.workspace import Workspace, atomic_path

__all__ = ["draw_contact_sheet", "import_synthetic", "read_scaling", "synthesize_scans"]

_EXAMPLES = 8


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
    sheet = draw_contact_sheet(folder)
    facts: dict[str, Any] = {
        "folder": str(folder),
        "scans": len(list((folder / "images").glob("*.png"))),
        "contact_sheet": str(sheet),
        "synthetic": True,
        "dataset": import_as,
    }
    if import_as is not None:
        import_synthetic(folder, import_as, workspace=workspace, progress=progress)
    return facts


def read_scaling(word: str) -> Scaling:
    """A way of scaling grey levels by its name.

    Raises:
        InputError: There is none of that name.
    """
    for scaling in SCALINGS:
        if word == scaling:
            return scaling
    raise InputError(f"Expected --scaling {' or '.join(SCALINGS)}, got {word!r}.")


def draw_contact_sheet(folder: Path) -> Path:
    """Draw a contact sheet into a folder of synthetic scans, spread evenly over each class; return its path."""
    table = pd.read_csv(folder / "labels.csv")
    rows = []
    for name, part in table.groupby("Class"):
        places = np.unique(np.linspace(0, len(part) - 1, _EXAMPLES).round().astype(int))
        images = [np.asarray(Image.open(folder / "images" / image)) for image in part["Image"].iloc[places]]
        rows.append((f"{name} ({len(part):,} scans)", images))
    sheet = folder / CONTACT_SHEET
    with atomic_path(sheet) as temporary:
        draw_sheet(rows, synthetic=True).save(temporary)
    return sheet


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
