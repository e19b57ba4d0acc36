"""Scans in one folder per class, also below a published ``Training``/``Testing`` layout."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tumorlens.datasets.source import ScanSource, SourceRow
from tumorlens.errors import InputError
from tumorlens.scans import read_scan, scan_files, visible_folders

__all__ = ["class_folder_names", "published_part", "read_class_folders"]

_PUBLISHED = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def published_part(folder_name: str) -> str | None:
    """Return the part a folder name such as ``"Testing"`` publishes, or ``None``."""
    return _PUBLISHED.get(folder_name.casefold())


def class_folder_names(folder: Path) -> list[str]:
    """Return the names of the direct subfolders that hold images, in natural order."""
    return [child.name for child in visible_folders(folder) if scan_files(child)]


def read_class_folders(folder: Path) -> ScanSource:
    """List the scans of a folder whose subfolders are classes.

    Where the subfolders are ``Training``, ``Testing`` or the like, their subfolders are the classes
    and the published part is kept as the extra column ``published_part``.

    Raises:
        InputError: There are no images, or images that lie in no class folder.
    """
    files = scan_files(folder)
    if not files:
        raise InputError(f"{folder} holds no scans (PNG, JPEG, TIFF, BMP, WebP): give the folder they are in.")
    tops = class_folder_names(folder)
    published = bool(tops) and all(published_part(name) for name in tops)
    depth = 2 if published else 1
    loose = [file for file in files if len(file.relative_to(folder).parts) <= depth]
    if loose:
        raise _without_label(folder, loose, count=len(files), published=published)
    rows = tuple(_row(file.relative_to(folder), published=published) for file in files)
    notes = [f"Class folders: {', '.join(sorted({row.label for row in rows}))}."]
    if published:
        notes.append(
            f"The published parts ({', '.join(tops)}) are kept in the column published_part; "
            "splits are made anew, by group."
        )
    empty = [f.name for f in visible_folders(folder) if f.name not in tops]
    if empty:
        notes.append(f"Folders without a scan were left out: {', '.join(empty)}.")
    return ScanSource(rows, lambda: (partial(read_scan, file) for file in files), tuple(notes))


def _row(relative: Path, *, published: bool) -> SourceRow:
    if not published:
        return SourceRow(relative.as_posix(), relative.parts[0])
    extra = {"published_part": published_part(relative.parts[0]) or ""}
    return SourceRow(relative.as_posix(), relative.parts[1], extra=extra)


def _without_label(folder: Path, loose: list[Path], *, count: int, published: bool) -> InputError:
    names = ", ".join(file.relative_to(folder).as_posix() for file in loose[:3])
    if len(loose) == count and not published:
        return InputError(
            f"The {count} scans in {folder} have no labels (the first: {names}): put them in one "
            "folder per class, or give a CSV with --labels."
        )
    return InputError(
        f"{len(loose)} of {count} scans in {folder} lie in no class folder and so have no label "
        f"(the first: {names}): move or remove them."
    )
