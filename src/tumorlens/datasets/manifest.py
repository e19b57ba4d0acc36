"""The manifest: a table with one row per source file, kept as Parquet.

Columns, in this order: ``row_id`` (int64, 0..n-1 in import order), ``source`` (relative, forward
slashes), ``pixel_digest`` (64 hexadecimal digits), ``label``, ``group``, ``height`` and ``width``
(int32, pixels), ``format``, ``mode``, ``copy_of`` (int64: first row with the same pixels, else -1),
``area`` (float64, the head's share of the scan, 0..1), ``brightness`` (float64, the head's median
grey, 0..1), then whatever the user asked to keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tumorlens.errors import InputError, IntegrityError
from tumorlens.workspace import atomic_path

__all__ = ["MANIFEST_COLUMNS", "check_extra_names", "check_kept_names", "manifest_digest", "read_manifest"]
__all__ += ["write_manifest"]

_TYPES = {
    "row_id": "int64",
    "source": "str",
    "pixel_digest": "str",
    "label": "str",
    "group": "str",
    "height": "int32",
    "width": "int32",
    "format": "str",
    "mode": "str",
    "copy_of": "int64",
    "area": "float64",
    "brightness": "float64",
}
MANIFEST_COLUMNS: tuple[str, ...] = tuple(_TYPES)
"""The columns every manifest has."""

_ADDED = ("volume", "receipt", "label_before", "published_part", "timepoint", "original_digest")

_IDENTITY = ["row_id", "source", "pixel_digest", "label", "group"]


def check_extra_names(names: list[str]) -> None:
    """Raise unless further columns with these names can stand in a manifest.

    Raises:
        InputError: One is the name of a manifest column, or appears twice.
    """
    taken = [name for name in names if name in MANIFEST_COLUMNS or names.count(name) > 1]
    if taken:
        raise InputError(f"The column {taken[0]!r} cannot be kept, its name is taken in the manifest: rename it.")


def check_kept_names(names: Sequence[str]) -> None:
    """Raise unless columns of the user's with these names mean nothing to tumorlens itself.

    Raises:
        InputError: One is the name of a manifest column, or of one that some sources or commands add.
    """
    from tumorlens.scans.dicom import FACT_COLUMNS

    reserved = {*MANIFEST_COLUMNS, *_ADDED, *FACT_COLUMNS}
    taken = [name for name in names if name in reserved]
    if taken:
        raise InputError(f"The column {taken[0]!r} cannot be kept, its name is taken in the manifest: rename it.")


def manifest_digest(manifest: pd.DataFrame) -> str:
    """Return the SHA-256 over row ids, sources, pixel digests, labels and groups."""
    digest = hashlib.sha256()
    for row in manifest[_IDENTITY].itertuples(index=False):
        digest.update("\x1f".join(str(value) for value in row).encode() + b"\x1e")
    return digest.hexdigest()


def write_manifest(manifest: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Write a manifest; return it with its columns in order and of the right types."""
    extra = [column for column in manifest.columns if column not in _TYPES]
    ordered = manifest[[*_TYPES, *extra]].astype(_TYPES).reset_index(drop=True)
    with atomic_path(path) as temporary:
        ordered.to_parquet(temporary, index=False)
    return ordered


def read_manifest(path: Path, *, digest: str) -> pd.DataFrame:
    """Read a manifest and compare it with its digest.

    Raises:
        IntegrityError: It is missing, damaged or changed.
    """
    try:
        manifest = pd.read_parquet(path).astype(_TYPES)
        found = manifest_digest(manifest)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise IntegrityError(f"{path} is damaged: import the data set again.") from error
    if found != digest:
        raise IntegrityError(
            f"{path} is not the manifest that was written (its digest differs): import the data set again."
        )
    return manifest
