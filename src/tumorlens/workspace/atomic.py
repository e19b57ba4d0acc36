"""Writing files and folders so that a reader meets the old state or the new one, never half of it.

Everything is written to a temporary name beside its goal, flushed to disk, then renamed. Temporary names start with
``.tmp-``; what a killed process left is removed by :mod:`tumorlens.workspace.cleanup`.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tumorlens.errors import StorageError

__all__ = [
    "RETIRED_PREFIX",
    "TEMPORARY_PREFIX",
    "atomic_directory",
    "atomic_path",
    "storage_errors",
    "temporary_name",
    "write_bytes",
    "write_json",
    "write_text",
]

TEMPORARY_PREFIX = ".tmp-"
RETIRED_PREFIX = ".old-"

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EACCES: "permission was denied; choose another place",
    errno.EPERM: "permission was denied; choose another place",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOTDIR: "a file stands where a folder should be; choose another place",
    errno.EISDIR: "a folder stands where a file should be; choose another place",
    errno.EFBIG: "the file may not grow further; raise the limit on file sizes",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write at ``path`` into a :class:`StorageError`.

    Raises:
        StorageError: Disk full, quota, permission or read-only file system.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            raise
        raise StorageError(f"{path} could not be written: {reason} and run the command again.") from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` when the block ends without error.

    The temporary name keeps the suffix, so that libraries which go by it behave.

    Raises:
        StorageError: Disk full, quota, permission or read-only file system; nothing is left behind.
    """
    with storage_errors(path):
        _make_folder(path.parent)
        temporary = temporary_name(path)
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            _flush(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it to ``path`` when the block ends without error.

    Args:
        path: The folder to make.
        replace: Whether a folder already there is replaced. The old one is set aside under a name that starts with
            ``.old-`` just before the new one takes its place; should a kill come between the two renames,
            :func:`tumorlens.workspace.cleanup.remove_leftovers` puts it back.

    Raises:
        StorageError: Disk full, quota, permission or read-only file system; nothing is left behind.
        FileExistsError: ``path`` exists and ``replace`` is false.
    """
    if path.exists() and not replace:
        raise FileExistsError(path)
    with storage_errors(path):
        _make_folder(path.parent)
        temporary = temporary_name(path)
        temporary.mkdir()
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
            _take_place(temporary, path)
            _flush(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # a file has its name
        raise NotADirectoryError(errno.ENOTDIR, str(error), str(path)) from error


def _take_place(temporary: Path, path: Path) -> None:
    """Rename ``temporary`` to ``path``; a folder already there steps aside and comes back should that fail."""
    retired = path.with_name(f"{RETIRED_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
    while True:
        with suppress(FileNotFoundError):
            path.rename(retired)
        try:
            temporary.rename(path)
        except OSError as error:
            if retired.exists():
                retired.rename(path)
            elif error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another process was quicker: replace its folder
                continue
            raise
        shutil.rmtree(retired, ignore_errors=True)
        return


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically, as UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` atomically as indented JSON; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def temporary_name(path: Path) -> Path:
    """A name beside ``path`` that no one else uses; leftovers under it are cleaned up."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")


def _flush(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (IsADirectoryError, PermissionError):  # Windows cannot open a folder
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (
            errno.EINVAL,
            errno.EBADF,
        ):  # not supported by this file system or platform
            raise
    finally:
        os.close(descriptor)
