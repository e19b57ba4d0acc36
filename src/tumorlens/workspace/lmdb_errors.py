"""What LMDB says when it cannot write, as one sentence.

Not among the package's own names, since most callers need no LMDB.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from tumorlens.errors import StorageError

__all__ = ["lmdb_errors"]

_REASONS = {
    os.strerror(errno.ENOSPC): "the disk is full; free some space",
    os.strerror(errno.EDQUOT): "the disk quota is used up; free some space",
    os.strerror(errno.EIO): "the disk took only part of it, as when it is full; free some space",
    os.strerror(errno.EFBIG): "the file may not grow further; raise the limit on file sizes",
    os.strerror(errno.EACCES): "permission was denied; choose another place",
    os.strerror(errno.EROFS): "the file system is read-only; choose another place",
}


@contextmanager
def lmdb_errors(path: Path) -> Iterator[None]:
    """Turn LMDB's refusals to write into :class:`StorageError`; a full map passes through.

    Raises:
        StorageError: Disk full, permission, read-only file system.
    """
    try:
        yield
    except lmdb.MapFullError:
        raise
    except lmdb.Error as error:
        reason = next((why for sign, why in _REASONS.items() if sign in str(error)), None)
        if reason is None:
            raise
        raise StorageError(f"{path} could not be written: {reason} and run the command again.") from error
