"""Keeps a second process out of a piece of work. Knows nothing about what the work is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tumorlens.errors import InputError
from tumorlens.workspace.atomic import storage_errors

__all__ = ["one_process"]


@contextmanager
def one_process(lock_file: Path, *, doing: str, seconds: float = 0.0) -> Iterator[None]:
    """Hold ``lock_file`` for the length of the context; a killed process holds nothing.

    Args:
        lock_file: Made where it is missing, with its folder, and left there.
        doing: What the other process does, after "is" ("training the run a").
        seconds: How long to wait for it to end.

    Raises:
        InputError: Another process holds it.
        StorageError: The folder cannot be written.
    """
    with storage_errors(lock_file):
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(lock_file).acquire(timeout=seconds)
        except Timeout as error:
            raise InputError(
                f"Another process is {doing}: wait for it, or stop it and run the command again."
            ) from error
    with held:
        yield
