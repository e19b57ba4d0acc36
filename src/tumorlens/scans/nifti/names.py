"""Names of NIfTI files. Opens none of them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["NIFTI_SUFFIXES", "is_nifti", "nifti_stem"]

NIFTI_SUFFIXES: tuple[str, ...] = (".nii.gz", ".nii")
"""Suffixes of volumes in one file, in lower case; a file's own may be in any case."""


def is_nifti(path: Path) -> bool:
    """Whether the name of ``path`` is that of a NIfTI volume."""
    return path.name.lower().endswith(NIFTI_SUFFIXES)


def nifti_stem(path: Path) -> str:
    """Return the name without ``.nii`` or ``.nii.gz``; other names as they are."""
    for suffix in NIFTI_SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name
