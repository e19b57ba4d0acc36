"""Finds scan files below a folder, in natural order. Opens none of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.order import natural_key
from tumorlens.scans.refusals import check_text_name, read_errors

__all__ = ["SCAN_SUFFIXES", "scan_files", "visible_folders"]

SCAN_SUFFIXES: frozenset[str] = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp"})
"""Suffixes of readable image files, in lower case; a file's own may be in any case."""


def scan_files(folder: Path) -> list[Path]:
    """List the image files below ``folder``.

    Files and folders whose name starts with a dot and symbolic links are skipped: the former are
    never scans, the latter could lead out of the folder or in circles. So is a tumorlens workspace
    that lies among the scans: its pictures are not data.

    Args:
        folder: Where to look, at all depths.

    Returns:
        Paths that start with ``folder``, in natural order, a folder's own files before those of
        its subfolders.

    Raises:
        NotFoundError: There is no such folder.
        InputError: It is a file, may not be read, or holds scans or folders whose names are not UTF-8.
    """
    with read_errors(folder):
        if not folder.exists():
            raise NotFoundError(f"The folder {folder} does not exist: check the path.")
        if not folder.is_dir():
            raise InputError(f"Expected a folder of scans, but {folder} is a file.")
        return list(_walk(folder))


def visible_folders(folder: Path) -> list[Path]:
    """List the direct subfolders of ``folder`` in natural order, without hidden ones and links."""
    return [entry for entry in _visible(folder) if entry.is_dir()]


def _walk(folder: Path) -> Iterator[Path]:
    entries = _visible(folder)
    for entry in entries:
        if entry.suffix.lower() in SCAN_SUFFIXES and entry.is_file():
            yield entry
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry)


def _visible(folder: Path) -> list[Path]:
    with read_errors(folder):
        visible = [
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".") and not entry.is_symlink() and not (entry / "workspace.json").is_file()
        ]
        for entry in visible:
            if entry.suffix.lower() in SCAN_SUFFIXES or entry.is_dir():
                check_text_name(entry)
    return sorted(visible, key=lambda entry: natural_key(entry.name))
