"""The threshold of two classes for a wanted sensitivity or specificity, or for the price of a missed positive.

Chosen on predictions of scans that the head had not seen; what it gives elsewhere is for the test part to say. Knows
nothing about bundles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.types import Labels, Probabilities

__all__ = ["OperatingWish", "choose_threshold", "parse_wish"]

_WORDS = {
    "sensitivity": "sensitivity of {:g} or more",
    "specificity": "specificity of {:g} or more",
    "cost": "least cost where a missed positive costs {:g} times a false alarm",
}


@dataclass(frozen=True)
class OperatingWish:
    """What the threshold is to reach.

    Attributes:
        kind: "sensitivity", "specificity" or "cost".
        value: The wanted share, above 0 and below 1; or how many false alarms one missed positive is worth, above 0.
    """

    kind: Literal["sensitivity", "specificity", "cost"]
    value: float

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            InputError: It is out of range.
        """
        if self.kind == "cost" and not (np.isfinite(self.value) and self.value > 0):
            raise InputError(
                f"Expected --cost above 0 (5: a missed positive costs five false alarms), got {self.value:g}."
            )
        if self.kind != "cost" and not 0.0 < self.value < 1.0:
            raise InputError(f"Expected --{self.kind} above 0 and below 1, such as 0.95, got {self.value:g}.")

    @property
    def words(self) -> str:
        """The wish in words."""
        return _WORDS[self.kind].format(self.value)


def parse_wish(
    *, sensitivity: float | None = None, specificity: float | None = None, cost: float | None = None
) -> OperatingWish | None:
    """The one wish that was given; ``None`` without one.

    Raises:
        InputError: More than one was given, or its value is out of range.
    """
    given: list[OperatingWish] = []
    if sensitivity is not None:
        given.append(OperatingWish("sensitivity", sensitivity))
    if specificity is not None:
        given.append(OperatingWish("specificity", specificity))
    if cost is not None:
        given.append(OperatingWish("cost", cost))
    if len(given) > 1:
        raise InputError("Expected one of --sensitivity, --specificity and --cost, got several: leave all but one out.")
    return given[0] if given else None


def choose_threshold(labels: Labels, probabilities: Probabilities, wish: OperatingWish, *, positive: int) -> float:
    """The threshold from which on a scan is called positive.

    For a sensitivity the highest threshold that reaches it, for a specificity the lowest, so that the other is as large
    as it can be; for a cost the threshold with the least mean cost, the highest of them when tied. Thresholds lie
    midway between neighbouring probabilities, so that they do not rest on the last digit of one scan's.

    Args:
        labels: ``(n,)`` reference labels.
        probabilities: ``(n, 2)`` of scans that the head was not fitted on.
        wish: What is to be reached.
        positive: Index of the positive class.

    Returns:
        Probability in 0..1.

    Raises:
        InputError: One of the classes is absent.
    """
    hits = labels == positive
    if hits.all() or not hits.any():
        raise InputError("A threshold takes scans of both classes, got one only: give more training scans.")
    levels = np.unique(probabilities[:, positive])
    between = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2.0, [1.0]])
    own, others = (np.sort(probabilities[chosen, positive]) for chosen in (hits, ~hits))
    sensitivity = (own.size - np.searchsorted(own, between, side="left")) / own.size
    specificity = np.searchsorted(others, between, side="left") / others.size
    return float(between[_best(sensitivity, specificity, wish, prevalence=float(hits.mean()))])


def _best(
    sensitivity: npt.NDArray[np.float64],
    specificity: npt.NDArray[np.float64],
    wish: OperatingWish,
    *,
    prevalence: float,
) -> int:
    if wish.kind == "sensitivity":
        return int(np.flatnonzero(sensitivity >= wish.value)[-1])
    if wish.kind == "specificity":
        reached = np.flatnonzero(specificity >= wish.value)
        return int(reached[0]) if reached.size else len(specificity) - 1
    cost = wish.value * prevalence * (1.0 - sensitivity) + (1.0 - prevalence) * (1.0 - specificity)
    return int(len(cost) - 1 - np.argmin(cost[::-1]))
