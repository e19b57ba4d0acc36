"""What a bundle decides by, and in which order: unlike the training data, then undecided, then the operating point.

The same everywhere: command line, Python, REST and page. Needs NumPy alone and knows nothing about how thresholds were
found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["UNDECIDED", "UNLIKE", "ConformalRule", "NoveltyRule", "OperatingPoint", "decide", "final_decision"]

UNLIKE = "unlike the training data"
"""The decision for a scan whose features lie too far from those of all training scans."""

UNDECIDED = "undecided"
"""The decision for a scan whose set of classes is empty or holds several."""


@dataclass(frozen=True)
class OperatingPoint:
    """Where a probability becomes a label, for two classes.

    Attributes:
        positive_class: The class whose probability is compared.
        threshold: Probability in 0..1 from which on the answer is ``positive_class``.
        basis: How the threshold was chosen, in words.
    """

    positive_class: str
    threshold: float
    basis: str


@dataclass(frozen=True)
class ConformalRule:
    """Which classes stand in a scan's set.

    Attributes:
        wanted: How often the set of a scan of a new group holds its reference label, by class, 0..1.
        thresholds: Probability of each class, in class order, from which on it stands in the set.
        basis: What the thresholds rest on, in words.
    """

    wanted: float
    thresholds: tuple[float, ...]
    basis: str

    def set_of(self, probabilities: Mapping[str, float]) -> tuple[str, ...]:
        """The classes of a scan's set, in class order."""
        pairs = zip(probabilities.items(), self.thresholds, strict=True)
        return tuple(label for (label, value), threshold in pairs if value >= threshold)


@dataclass(frozen=True)
class NoveltyRule:
    """From which distance on a scan is unlike the training data.

    Attributes:
        threshold: Cosine distance to the nearest reference scan, 0..2, above which a scan is flagged.
        false_alarms: Share of scans of new groups from the training source that are flagged, at most, 0..1.
        basis: What the threshold rests on, in words.
    """

    threshold: float
    false_alarms: float
    basis: str


def decide(labels: Sequence[str], point: OperatingPoint | None, probabilities: Mapping[str, float]) -> str:
    """The label at an operating point; the largest probability where there is none.

    Args:
        labels: Class order.
        point: The operating point of two classes.
        probabilities: Probability by class.
    """
    if point is None:
        return max(labels, key=lambda label: probabilities[label])
    if probabilities[point.positive_class] >= point.threshold:
        return point.positive_class
    return next(label for label in labels if label != point.positive_class)


def final_decision(
    label: str, *, conformal_set: Sequence[str] | None, novelty: float | None, limit: float | None
) -> str:
    """What is said of a scan, by the one order of precedence.

    Args:
        label: The label at the operating point.
        conformal_set: The classes of its set; ``None`` where sets are not offered.
        novelty: Its distance to the training data; ``None`` where not offered.
        limit: The distance above which it is flagged.

    Returns:
        :data:`UNLIKE`, :data:`UNDECIDED` or a label. A set of one class other than ``label`` is undecided too, as the
        operating point and the set then say different things.
    """
    if novelty is not None and limit is not None and novelty > limit:
        return UNLIKE
    if conformal_set is not None and tuple(conformal_set) != (label,):
        return UNDECIDED
    return label
