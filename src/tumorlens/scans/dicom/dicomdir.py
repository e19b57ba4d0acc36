"""The files that a DICOMDIR names, only below its own folder (PS3.3 F, PS3.10 8)."""

from __future__ import annotations

from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.scans.dicom.opening import quiet_pydicom_log
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.refusals import read_errors

__all__ = ["dicomdir_files", "is_dicomdir"]

_MOST_PARTS = 8
_FORBIDDEN = frozenset("/\\:\0")


def is_dicomdir(path: Path) -> bool:
    """Whether a file is named as a DICOMDIR."""
    return path.name.upper() == "DICOMDIR"


def dicomdir_files(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> tuple[list[Path], int]:
    """List the image files that a DICOMDIR names, in its order.

    Args:
        path: The DICOMDIR.
        limits: Largest file.

    Returns:
        The files that exist, and how many are missing.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is damaged, or names a file outside its own folder, by ``..``, an absolute path or a link.
    """
    found: list[Path] = []
    missing = 0
    for parts in _image_references(path, limits=limits):
        if not _stays_inside(parts):
            raise InputError(f"{path} names a file outside its own folder: do not use it, give the folder instead.")
        file = _below(path.parent, parts, source=path)
        if file is None:
            missing += 1
        else:
            found.append(file)
    return list(dict.fromkeys(found)), missing


def _image_references(path: Path, *, limits: ReadLimits) -> list[list[str]]:
    from pydicom.filereader import dcmread

    quiet_pydicom_log()
    with read_errors(path):
        limits.check_file(path.stat().st_size, source=str(path))
        with path.open("rb") as stream:
            try:
                directory = dcmread(stream, stop_before_pixels=True, specific_tags=["DirectoryRecordSequence"])
                records = directory.get("DirectoryRecordSequence") or []
                named = [record.get("ReferencedFileID") for record in records]
                references = [[value] if isinstance(value, str) else list(value) for value in named if value]
            except OSError:
                raise
            except Exception as error:  # damaged bytes make the parser raise anything
                raise InputError(
                    f"{path} is no readable DICOMDIR: give the folder that holds the DICOM files instead."
                ) from error
    return [[str(part) for part in parts] for parts in references]


def _stays_inside(parts: list[str]) -> bool:
    return 0 < len(parts) <= _MOST_PARTS and all(
        part.strip() not in ("", ".", "..") and not _FORBIDDEN & set(part) for part in parts
    )


def _below(folder: Path, parts: list[str], *, source: Path) -> Path | None:
    """The file, whatever the case of its name: media name files in capitals, some systems unpack them otherwise."""
    here = folder
    for part in parts:
        exact = here / part
        if not exact.exists() and not exact.is_symlink():
            alike = [entry for entry in _entries(here) if entry.name.casefold() == part.casefold()]
            if len(alike) != 1:
                return None
            exact = alike[0]
        if exact.is_symlink():
            raise InputError(f"{source} names a link ({part}), expected a file of its own folder: give the folder.")
        here = exact
    return here if here.is_file() else None


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
