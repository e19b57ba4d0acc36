"""Settles what killed processes left behind: temporary entries go, a folder that was being replaced comes back."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import psutil

from tumorlens.workspace.atomic import RETIRED_PREFIX, TEMPORARY_PREFIX

__all__ = ["folder_size", "remove_leftovers"]

_LEFTOVER = re.compile(rf"({re.escape(TEMPORARY_PREFIX)}|{re.escape(RETIRED_PREFIX)})(\d+)-[0-9a-f]+-(.+)", re.DOTALL)


def remove_leftovers(folder: Path, *, depth: int = 3) -> list[Path]:
    """Remove temporary entries below ``folder`` that belong to no living process.

    A folder that was set aside to be replaced, and whose successor never came, gets its name back.

    Args:
        folder: Where to look; a missing folder holds nothing.
        depth: How many levels down.

    Returns:
        The removed or restored paths, as they were called.
    """
    settled: list[Path] = []
    if not folder.is_dir():
        return settled
    for entry in sorted(folder.iterdir()):
        match = _LEFTOVER.fullmatch(entry.name)
        if match is None:
            if depth > 1 and entry.is_dir() and not entry.is_symlink():
                settled += remove_leftovers(entry, depth=depth - 1)
        elif not psutil.pid_exists(int(match.group(2))):
            _settle(entry, prefix=match.group(1), goal=folder / match.group(3))
            settled.append(entry)
    return settled


def _settle(entry: Path, *, prefix: str, goal: Path) -> None:
    if prefix == RETIRED_PREFIX and not goal.exists():
        entry.rename(goal)
    elif entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def folder_size(folder: Path) -> int:
    """Bytes on disk used by the files below ``folder`` (sparse files count what they occupy).

    Files that vanish meanwhile, as those of a running training do, count nothing.
    """
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                status = Path(place, name).stat()
                blocks = getattr(status, "st_blocks", None)
                total += status.st_size if blocks is None else blocks * 512
    return total
