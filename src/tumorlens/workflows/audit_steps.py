"""Runs the steps of an audit, each timed; what one cannot do becomes a note, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.reports.wording import duration

__all__ = ["AuditSteps"]

_Result = TypeVar("_Result")
_Otherwise = TypeVar("_Otherwise")


class AuditSteps:
    """Keeps notes and times of the steps that were run through it.

    Args:
        progress: Told when a step is done.

    Attributes:
        notes: What could not be done, and why; a sentence each.
        seconds: Wall-clock seconds by step, in order.
    """

    def __init__(self, progress: Progress) -> None:
        self.notes: list[str] = []
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def do(self, name: str, work: Callable[[], _Result]) -> _Result:
        """Do a step that every data set allows.

        Args:
            name: What it is called, for a person.
            work: The step.

        Returns:
            What ``work`` gave; its errors pass.
        """
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[name] = round(time.perf_counter() - started, 3)
            self._progress.say(f"{_capital(name)}: {duration(self.seconds[name])}")

    def run(self, name: str, work: Callable[[], _Result], *, otherwise: _Otherwise) -> _Result | _Otherwise:
        """Do a step that some data sets do not allow.

        Args:
            name: What it is called, for a person.
            work: The step.
            otherwise: Its result where the data do not allow it.

        Returns:
            What ``work`` gave, or ``otherwise`` where it raised an :class:`~tumorlens.errors.InputError`.
        """
        try:
            return self.do(name, work)
        except InputError as error:
            self.notes.append(f"{_capital(name)}: {error}")
            return otherwise


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
