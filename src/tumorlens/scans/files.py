"""Finds files below a folder, in natural order. Opens none of them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.order import natural_key
from tumorlens.scans.refusals import check_text_name, read_errors

__all__ = ["SCAN_SUFFIXES", "all_files", "check_regular", "scan_files", "visible_folders"]

SCAN_SUFFIXES: frozenset[str] = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp"})
"""Suffixes of readable image files, in lower case; a file's own may be in any case."""

_DEEPEST = 32


def scan_files(folder: Path) -> list[Path]:
    """List the image files below ``folder``.

    Files and folders whose name starts with a dot and symbolic links are skipped: the former are
    never scans, the latter could lead out of the folder or in circles. So is a tumorlens workspace
    that lies among the scans: its pictures are not data. Pipes, sockets and devices are skipped too.

    Args:
        folder: Where to look, down to 32 folders deep.

    Returns:
        Paths that start with ``folder``, in natural order, a folder's own files before those of
        its subfolders.

    Raises:
        NotFoundError: There is no such folder.
        InputError: It is a file, may not be read, holds scans or folders whose names are not UTF-8, or is deeper.
    """
    return _listed(folder, SCAN_SUFFIXES)


def all_files(folder: Path) -> list[Path]:
    """List every file below ``folder``, whatever its suffix: DICOM files often have none.

    What is skipped, the order and the errors are those of :func:`scan_files`; the name of every file must be UTF-8.
    """
    return _listed(folder, None)


def check_regular(path: Path) -> None:
    """Raise unless ``path`` is a regular file: opening a pipe or a device could wait or go on for ever.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is a folder, a pipe, a socket or a device.
    """
    with read_errors(path):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise InputError(f"Expected a file, but {path} is a pipe, a socket or a device: name a file.")


def visible_folders(folder: Path) -> list[Path]:
    """List the direct subfolders of ``folder`` in natural order, without hidden ones and links."""
    return [entry for entry in _visible(folder, SCAN_SUFFIXES) if entry.is_dir()]


def _listed(folder: Path, suffixes: frozenset[str] | None) -> list[Path]:
    with read_errors(folder):
        if not folder.exists():
            raise NotFoundError(f"The folder {folder} does not exist: check the path.")
        if not folder.is_dir():
            raise InputError(f"Expected a folder of scans, but {folder} is a file.")
        return list(_walk(folder, suffixes, depth=0))


def _walk(folder: Path, suffixes: frozenset[str] | None, *, depth: int) -> Iterator[Path]:
    if depth > _DEEPEST:
        raise InputError(f"{folder} lies more than {_DEEPEST} folders deep: import the folder that holds the scans.")
    entries = _visible(folder, suffixes)
    for entry in entries:
        if _is_wanted(entry, suffixes) and entry.is_file():
            yield entry
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry, suffixes, depth=depth + 1)


def _visible(folder: Path, suffixes: frozenset[str] | None) -> list[Path]:
    with read_errors(folder):
        visible = [
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".") and not entry.is_symlink() and not (entry / "workspace.json").is_file()
        ]
        for entry in visible:
            if _is_wanted(entry, suffixes) or entry.is_dir():
                check_text_name(entry)
    return sorted(visible, key=lambda entry: natural_key(entry.name))


def _is_wanted(entry: Path, suffixes: frozenset[str] | None) -> bool:
    return suffixes is None or entry.suffix.lower() in suffixes
