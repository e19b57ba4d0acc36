"""Tells pictures, DICOM files and NIfTI volumes apart, by name and, for DICOM, by their first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tumorlens.scans.files import SCAN_SUFFIXES, all_files

__all__ = ["FileKind", "files_by_kind", "kind_of"]

FileKind = Literal["picture", "dicom", "nifti"]


def kind_of(path: Path) -> FileKind | None:
    """Tell what a regular file is.

    Only a file without a known suffix is opened, for its first bytes: scanners and archives often name DICOM files by
    number alone.

    Returns:
        The kind, or ``None`` for anything else.
    """
    from tumorlens.scans.dicom.magic import is_dicom
    from tumorlens.scans.nifti.names import is_nifti

    if path.suffix.lower() in SCAN_SUFFIXES:
        return "picture"
    if is_nifti(path):
        return "nifti"
    return "dicom" if is_dicom(path) else None


def files_by_kind(folder: Path) -> dict[FileKind, list[Path]]:
    """Sort the files below ``folder`` by kind, each list in natural order; files of no kind are left out."""
    found: dict[FileKind, list[Path]] = {"picture": [], "dicom": [], "nifti": []}
    for file in all_files(folder):
        kind = kind_of(file)
        if kind is not None:
            found[kind].append(file)
    return found
