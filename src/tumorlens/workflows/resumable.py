"""Folders of trainings that can go on after they were stopped: one process in each, shown, and removed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tumorlens.workspace import Workspace, folder_size, one_process, storage_errors

__all__ = ["ResumableTraining", "list_resumable", "open_resumable", "remove_stopped"]

_SECONDS = 1.0  # longer than a look at the lock takes, shorter than a training


@dataclass(frozen=True)
class ResumableTraining:
    """What a training that is not finished keeps.

    Attributes:
        run: The run that it is to become.
        bytes: Bytes on disk.
        running: Whether a process is training it now.
    """

    run: str
    bytes: int
    running: bool


@contextmanager
def open_resumable(workspace: Workspace, run: str) -> Iterator[Path]:
    """The folder of a run's training, for this process alone; it stays until the context ends without an error.

    Raises:
        InputError: Another process is training the same run.
    """
    folder = _place(workspace) / run
    with one_process(_lock_file(folder), doing=f"training the run {run}", seconds=_SECONDS), storage_errors(folder):
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder)


def list_resumable(workspace: Workspace) -> list[ResumableTraining]:
    """All trainings that are not finished, by name."""
    return [ResumableTraining(folder.name, folder_size(folder), _is_locked(folder)) for folder in _folders(workspace)]


def remove_stopped(workspace: Workspace) -> list[str]:
    """Remove the folders of trainings that no process is at.

    Returns:
        The runs they were to become.
    """
    removed = []
    for folder in _folders(workspace):
        try:
            with _locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue
        removed.append(folder.name)
    return removed


def _place(workspace: Workspace) -> Path:
    return workspace.training / "resumable"


def _folders(workspace: Workspace) -> list[Path]:
    return sorted(path for path in _place(workspace).glob("*") if path.is_dir())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock beside ``folder``; its empty file stays, since another process may be about to take it.

    Raises:
        Timeout: Another process holds it.
    """
    with FileLock(_lock_file(folder)).acquire(timeout=0.0):
        yield


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _is_locked(folder: Path) -> bool:
    if not _lock_file(folder).is_file():
        return False
    try:
        with _locked(folder):
            return False
    except Timeout:
        return True
