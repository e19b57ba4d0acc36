"""How long work reports where it is. Knows nothing about screens: the command line gives an implementation."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["SILENT", "Progress", "Task"]


class Task(Protocol):
    """One piece of long work."""

    def advance(self, amount: int = 1, *, note: str | None = None) -> None:
        """Say that ``amount`` more units are done; ``note`` replaces the text beside the bar."""


class Progress(Protocol):
    """Where tasks and messages go."""

    def task(self, title: str, *, total: int | None) -> AbstractContextManager[Task]:
        """Open a task of ``total`` units (``None``: unknown); the bar closes with the context."""

    def say(self, message: str) -> None:
        """Show one line of information."""


class _SilentTask:
    def advance(self, amount: int = 1, *, note: str | None = None) -> None:
        """Do nothing."""


class _SilentProgress:
    def task(self, title: str, *, total: int | None) -> AbstractContextManager[Task]:
        """Return a task that shows nothing."""
        return nullcontext(_SilentTask())

    def say(self, message: str) -> None:
        """Drop the message."""


SILENT: Progress = _SilentProgress()
"""Shows nothing: the default in Python code and tests."""
