"""Puts a file under a second name, for libraries that go by names. Knows nothing about its content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tumorlens.workspace import storage_errors

__all__ = ["put_under_name"]


def put_under_name(path: Path, name: Path) -> None:
    """Let ``name`` hold what ``path`` holds: by a link where the system allows one, else by a copy.

    Raises:
        StorageError: The copy could not be written.
    """
    for link in (os.symlink, os.link):  # Windows: no symlinks for plain users, no hard links between drives
        try:
            link(path.resolve(), name)
        except OSError:
            continue
        return
    with storage_errors(name):
        shutil.copyfile(path, name)
