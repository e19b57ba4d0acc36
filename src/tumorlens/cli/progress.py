"""Progress bars and messages on standard error, with the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tumorlens.progress import Task

__all__ = ["RichProgress"]


class RichProgress:
    """Shows one bar a task on a terminal; elsewhere one line when a task ends."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def task(self, title: str, *, total: int | None) -> Iterator[Task]:
        """Open a bar of ``total`` units."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self._console) as bars:
            yield _Bar(bars, bars.add_task(title, total=total, note=""))

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message, markup=False)


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, amount: int = 1, *, note: str | None = None) -> None:
        """Move the bar."""
        if note is None:
            self._bars.update(self._task, advance=amount)
        else:
            self._bars.update(self._task, advance=amount, note=note)
