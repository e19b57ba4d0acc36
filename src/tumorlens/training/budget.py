"""How the time of a search is divided. Knows nothing about networks or files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tumorlens.errors import InputError

__all__ = ["LEAST_BUDGET", "STAGE_ONE_SHARE", "Plan", "budget_words", "parse_budget"]

LEAST_BUDGET = 30
"""Seconds below which no search is begun."""

STAGE_ONE_SHARE = 1 / 3
"""At most so much of the time goes to trials on cached features where fine-tuning follows."""

_RESERVE_AT_MOST = 0.4
_LENGTH = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (3600, 60, 1)


def parse_budget(text: str) -> int:
    """Seconds of a length of time such as ``90s``, ``20m`` or ``1h30m``.

    Raises:
        InputError: It is none, or below :data:`LEAST_BUDGET`.
    """
    match = _LENGTH.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        hint = f"; did you mean {text.strip()}m or {text.strip()}s?" if text.strip().isdigit() else "."
        raise InputError(f"Expected --budget as a time with its unit, such as 90s, 20m or 1h30m, got {text!r}{hint}")
    seconds = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _UNITS, strict=True))
    if seconds < LEAST_BUDGET:
        raise InputError(f"Expected --budget of at least {LEAST_BUDGET}s, got {text!r}: give more time.")
    return seconds


def budget_words(seconds: float) -> str:
    """A length of time as :func:`parse_budget` reads it."""
    left = round(seconds)
    parts = []
    for unit, name in zip(_UNITS, "hms", strict=True):
        count, left = divmod(left, unit)
        parts += [f"{count}{name}"] if count else []
    return "".join(parts) or "0s"


@dataclass(frozen=True)
class Plan:
    """How much of a search may have been spent when something ends: by time, or by number of trials.

    Attributes:
        seconds: The whole time; ``None`` where trials are counted instead.
        trials: Number of trials; ``None`` where time is bounded instead.
        fine_tunes: Whether fine-tuning follows the trials on cached features.
    """

    seconds: float | None
    trials: int | None
    fine_tunes: bool

    @property
    def frozen_trials(self) -> int | None:
        """Trials on cached features at most: half of them, rounded up, where fine-tuning follows."""
        if self.trials is None:
            return None
        return -(-self.trials // 2) if self.fine_tunes else self.trials

    def frozen_seconds_left(self, spent: float, *, reserve: float) -> float:
        """Time for further trials on cached features.

        Args:
            spent: Seconds of the search so far.
            reserve: What the last step is expected to take.
        """
        if self.seconds is None:
            return float("inf")
        ends = self.seconds_left(0.0, reserve=reserve)
        return min(ends, STAGE_ONE_SHARE * self.seconds if self.fine_tunes else ends) - spent

    def seconds_left(self, spent: float, *, reserve: float) -> float:
        """Time for further trials of any kind; see :meth:`frozen_seconds_left`."""
        if self.seconds is None:
            return float("inf")
        return self.seconds - min(reserve, _RESERVE_AT_MOST * self.seconds) - spent

    def words(self) -> str:
        """How it is divided, in a sentence."""
        if self.seconds is None:
            return f"{self.trials} trials" + (
                f", {self.frozen_trials} of them on cached features" if self.fine_tunes else ""
            )
        whole = budget_words(self.seconds)
        if not self.fine_tunes:
            return f"{whole}, all of it for trials on cached features but for the last step"
        first = budget_words(STAGE_ONE_SHARE * self.seconds)
        return (
            f"{whole}, of it at most {first} for trials on cached features, the rest for fine-tuning and the last step"
        )
