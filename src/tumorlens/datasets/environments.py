"""Opens LMDB environments: once per process, as LMDB demands, however many ask for the same one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb

from tumorlens.errors import IntegrityError
from tumorlens.workspace.lmdb_errors import lmdb_errors

__all__ = ["borrowed_environment"]

_FIRST_MAP_BYTES = 64 * 1024 * 1024


@dataclass
class _Loan:
    environment: lmdb.Environment
    users: int


_LOCK = threading.Lock()
_LOANS: dict[tuple[int, int, int], _Loan] = {}


@contextmanager
def borrowed_environment(path: Path, *, writable: bool) -> Iterator[lmdb.Environment]:
    """Give the environment in the folder ``path``; close it when its last user is done.

    A reader takes no lock: what it reads was finished before it got its name and never changes,
    and so it works on read-only disks too.

    Raises:
        IntegrityError: There is none to read, or it is damaged.
        StorageError: It cannot be written.
    """
    if writable:
        environment = _open_writable(path)
        try:
            yield environment
            with lmdb_errors(path):
                environment.sync(True)
        finally:
            environment.close()
        return
    key = _identity(path)
    with _LOCK:
        loan = _LOANS.get(key) or _Loan(_open_readable(path), 0)
        loan.users += 1
        _LOANS[key] = loan
    try:
        yield loan.environment
    finally:
        with _LOCK:
            loan.users -= 1
            if loan.users == 0:
                del _LOANS[key]
                loan.environment.close()


def _open_writable(path: Path) -> lmdb.Environment:
    path.mkdir(parents=True, exist_ok=True)
    with lmdb_errors(path):
        return lmdb.open(str(path), map_size=_FIRST_MAP_BYTES, sync=False, metasync=False)


def _open_readable(path: Path) -> lmdb.Environment:
    try:
        return lmdb.open(str(path), readonly=True, lock=False, readahead=False, create=False)
    except lmdb.Error as error:
        raise IntegrityError(f"{path} is damaged ({error}): import the data set again.") from error


def _identity(path: Path) -> tuple[int, int, int]:
    """Device and inode, so that a replaced data set is not mistaken for the old one."""
    try:
        status = (path / "data.mdb").stat()
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} holds no pixels: import the data set again.") from error
    return os.getpid(), status.st_dev, status.st_ino
