"""For a process that trains and is killed on the way; imported there, not by pytest."""

from __future__ import annotations

import os
import signal


class Killer:
    """A progress bar that kills its process after some steps."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __enter__(self) -> Killer:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def task(self, title: str, *, total: int | None) -> Killer:
        return self

    def advance(self, amount: int = 1, *, note: str | None = None) -> None:
        self._left -= amount
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, message: str) -> None:
        return None
