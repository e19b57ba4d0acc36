"""A folder that lives in memory, for uploads: readers want paths, and uploaded pixels are not to touch the disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tumorlens.errors import StorageError
from tumorlens.workspace import storage_errors

__all__ = ["check_memory", "memory_folder", "remove_abandoned"]

_MEMORY = Path("/dev/shm")
_PREFIX = "tumorlens-upload-"


def check_memory() -> None:
    """Raise where there is no file system in memory.

    Raises:
        StorageError: Says what to do.
    """
    if not _is_in_memory():
        raise StorageError(
            f"Expected a file system in memory at {_MEMORY}, as Linux has: uploads are not to touch the disk. Serve "
            "from Linux or a container of it, or give --keep-uploads DIR where they may."
        )


@contextmanager
def memory_folder(inside: Path | None = None) -> Iterator[Path]:
    """A new folder.

    Args:
        inside: Where it is made and kept; ``None``: in memory, and gone when the block ends.

    Raises:
        StorageError: There is no room.
    """
    base = _MEMORY if inside is None else inside
    with storage_errors(base):
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        if inside is None:
            shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Free what processes that are gone have left in memory."""
    for folder in _MEMORY.glob(f"{_PREFIX}*") if _is_in_memory() else ():
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_in_memory() -> bool:
    kinds = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    return kinds.get(str(_MEMORY)) == "tmpfs" and os.access(_MEMORY, os.W_OK)
