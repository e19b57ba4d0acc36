"""Tells the parent how many steps are done, a few times a second, and what each epoch gave."""

from __future__ import annotations

import time
from dataclasses import asdict

from tumorlens.training.child import Say
from tumorlens.training.fitted import EpochRecord

__all__ = ["Reporter"]

_SAY_SECONDS = 0.2


class Reporter:
    """Counts steps and says so.

    Args:
        say: Sends a message to the parent.
        note: What stands beside the bar at first.
    """

    def __init__(self, say: Say, *, note: str = "epoch 1") -> None:
        self._say = say
        self._note = note
        self._steps = 0
        self._said = time.monotonic()

    def advance(self, steps: int = 1, *, note: str | None = None) -> None:
        """Count steps; ``note`` replaces what stands beside the bar."""
        self._note = note or self._note
        self._steps += steps
        if time.monotonic() - self._said > _SAY_SECONDS:
            self.flush()

    def tell(self, record: EpochRecord) -> None:
        """Say what an epoch gave, after the steps that led to it."""
        self.flush()
        self._say({"event": "epoch", "record": asdict(record)})

    def flush(self) -> None:
        """Say what was counted."""
        self._say({"event": "steps", "steps": self._steps, "note": self._note})
        self._steps, self._said = 0, time.monotonic()
