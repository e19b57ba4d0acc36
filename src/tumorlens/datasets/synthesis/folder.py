"""Virtual patients become a folder of pictures, masks and labels that ``data import`` reads."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.datasets.synthesis.patient import patient_name
from tumorlens.datasets.synthesis.plan import plan_slices
from tumorlens.datasets.synthesis.settings import MIN_TUMOR_AREA_MM2, SynthesisSettings
from tumorlens.datasets.synthesis.slices import SyntheticSlice, virtual_patient
from tumorlens.datasets.synthesis.templates import TEMPLATE_LICENCE, TEMPLATE_SOURCE
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.workspace import atomic_directory, write_bytes, write_json

__all__ = ["COLUMNS", "FORMAT_VERSION", "synthesize"]

COLUMNS = ("Image", "Class", "patient_id", "slice_mm", "patient_has_tumor", "mask_area_mm2")
"""Columns of ``labels.csv``; ``Image`` is a file name in both ``images`` and ``masks``."""

FORMAT_VERSION = 1

_Row = tuple[str, str, str, str, int, str]


def synthesize(folder: Path, settings: SynthesisSettings | None = None, *, progress: Progress = SILENT) -> Path:
    """Write synthetic scans to ``folder``, whole or not at all.

    ``images/NAME.png`` (8-bit grey), ``masks/NAME.png`` (255 where the tumour is, else 0),
    ``labels.csv`` with :data:`COLUMNS` and ``synthesis.json`` (settings, versions, source and
    licence of the templates). The same settings give the same bytes. File names say nothing about
    the label. Import ``folder / "images"`` with ``labels.csv`` and ``patient_id`` as the group.

    Args:
        folder: The folder to make; it must not exist, or be empty.
        settings: What the scans should be like; the defaults give 400 slices of 40 patients.
        progress: Where progress is shown.

    Returns:
        ``folder``.

    Raises:
        InputError: ``folder`` holds something already, or is a file.
        StorageError: The disk is full or writing is not allowed; nothing is left behind.
    """
    settings = settings or SynthesisSettings()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} exists already: give a new folder for synthetic scans or remove it first.")
    with atomic_directory(folder, replace=True) as draft:
        for name in ("images", "masks"):
            (draft / name).mkdir()
        rows = _write_patients(draft, settings, progress)
        write_bytes(draft / "labels.csv", _as_csv(rows))
        write_json(draft / "synthesis.json", _description(settings, rows))
    return folder


def _write_patients(draft: Path, settings: SynthesisSettings, progress: Progress) -> list[_Row]:
    total = settings.patients * settings.slices_each
    with progress.task("Making synthetic scans", total=total) as task:
        rows: list[_Row] = []
        plan_slices(settings)
        for made in _in_threads(draft, settings):
            rows += made
            task.advance(len(made))
    return rows


def _in_threads(draft: Path, settings: SynthesisSettings) -> Iterator[list[_Row]]:
    """Make the patients side by side and yield their rows in order."""
    pool = ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8))
    try:
        yield from pool.map(lambda index: _write_patient(draft, settings, index), range(settings.patients))
    finally:
        pool.shutdown(cancel_futures=True)


def _write_patient(draft: Path, settings: SynthesisSettings, index: int) -> list[_Row]:
    patient = virtual_patient(settings, index)
    rows = []
    for number, made in enumerate(patient.slices):
        name = f"{patient_name(settings, index)}_slice{number:02d}.png"
        _write_png(draft / "images" / name, made.pixels)
        _write_png(draft / "masks" / name, made.mask.astype(np.uint8) * np.uint8(255))
        rows.append(_row(name, made, patient_name(settings, index), patient.has_tumor))
    return rows


def _row(name: str, made: SyntheticSlice, patient: str, has_tumor: bool) -> _Row:
    height, area = f"{made.height_mm:.2f}", f"{made.mask_area_mm2:.1f}"
    return name, made.label, patient, height, int(has_tumor), area


def _write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(path, format="PNG", compress_level=6)


def _as_csv(rows: list[_Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return text.getvalue().encode("utf-8")


def _description(settings: SynthesisSettings, rows: list[_Row]) -> dict[str, Any]:
    classes = [row[1] for row in rows]
    return {
        "synthetic": True,
        "format": FORMAT_VERSION,
        "made_by": f"tumorlens {metadata.version('tumorlens')}",
        "settings": dataclasses.asdict(settings),
        "slices": {name: classes.count(name) for name in sorted(set(classes))},
        "tumor_from_mask_area_mm2": MIN_TUMOR_AREA_MM2,
        "shortcut": "bright square in the top left corner of tumour slices" if settings.shortcut else None,
        "templates": {
            "source": TEMPLATE_SOURCE,
            "nilearn": metadata.version("nilearn"),
            "licence": TEMPLATE_LICENCE,
        },
        "note": "synthetic images for tests and teaching; not for patient care",
    }
