"""Hashes of weights files, computed once per file and process."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

__all__ = ["file_digest"]


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes in hexadecimal.

    Args:
        path: The file; its size and time of change decide whether a remembered hash still holds.
        algorithm: A name :mod:`hashlib` knows ("sha256", "md5").
    """
    status = path.stat()
    return _digest(path.resolve(), algorithm, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, algorithm: str, _size: int, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
