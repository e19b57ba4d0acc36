"""Removes what killed processes left behind: temporary files and folders whose process is gone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import psutil

from tumorlens.workspace.atomic import TEMPORARY_PREFIX

__all__ = ["folder_size", "remove_leftovers"]

_PROCESS_ID = re.compile(re.escape(TEMPORARY_PREFIX) + r"(\d+)-")


def remove_leftovers(folder: Path, *, depth: int = 3) -> list[Path]:
    """Remove temporary entries below ``folder`` that belong to no living process.

    Args:
        folder: Where to look; a missing folder holds nothing.
        depth: How many levels down.

    Returns:
        The removed paths.
    """
    removed: list[Path] = []
    if not folder.is_dir():
        return removed
    for entry in sorted(folder.iterdir()):
        match = _PROCESS_ID.match(entry.name)
        if match:
            if not psutil.pid_exists(int(match.group(1))):
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
                removed.append(entry)
        elif depth > 1 and entry.is_dir() and not entry.is_symlink():
            removed += remove_leftovers(entry, depth=depth - 1)
    return removed


def folder_size(folder: Path) -> int:
    """Bytes on disk used by the files below ``folder`` (sparse files count what they occupy)."""
    total = 0
    for file in folder.rglob("*"):
        if file.is_file():
            status = file.stat()
            blocks = getattr(status, "st_blocks", None)
            total += status.st_size if blocks is None else blocks * 512
    return total
