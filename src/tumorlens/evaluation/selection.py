"""Which models answer together, and how much each counts: greedy ensemble selection.

Forward selection with replacement by the cross-entropy of the averaged probabilities, started from the best few
models: Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004. Of all
averages met on the way the best is kept, so it is never worse than the best single model on the scans it was chosen
on. The paper's bagging of models, made for libraries of thousands, is left out. Knows nothing about networks or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.evaluation.metrics import log_loss
from tumorlens.types import Labels, Probabilities

__all__ = ["SELECTION_ROUNDS", "Selection", "SelectionStep", "equal_weights", "select_members"]

SELECTION_ROUNDS = 50
"""How many models are added after the start, each counting once more."""

_LEAST_GAIN = 1e-9  # nats; below it two averages are taken for equally good, and the earlier one stays


@dataclass(frozen=True)
class SelectionStep:
    """One model joins the average.

    Attributes:
        added: Index of the model.
        loss: Cross-entropy of the average with it, nats.
        accuracy: Share of scans for which the largest averaged probability is that of the reference label, 0..1.
        kept: Whether it belongs to the average that is kept.
    """

    added: int
    loss: float
    accuracy: float
    kept: bool


@dataclass(frozen=True)
class Selection:
    """What the models count, and how that came about.

    Attributes:
        weights: One a model, in the order given: in 0..1, with the sum 1; 0 for models left out.
        steps: Every model that joined, in order; a model may join more than once.
    """

    weights: tuple[float, ...]
    steps: tuple[SelectionStep, ...]


def select_members(
    labels: Labels, probabilities: Sequence[Probabilities], *, rounds: int = SELECTION_ROUNDS
) -> Selection:
    """Choose greedily.

    The start is the average of the best models, as many of them as average best; then, round by round, the model that
    gives the lowest loss joins. Of equally good ones the earlier one is taken.

    Args:
        labels: ``(n,)`` reference labels of scans that no model was fitted on.
        probabilities: ``(n, k)`` of each model, on the same scans.
        rounds: How many models join after the start.

    Raises:
        InputError: There are no models or no scans, or they do not belong together.
    """
    _check(labels, probabilities)
    order = np.argsort([log_loss(labels, each) for each in probabilities], kind="stable").tolist()
    averages = (
        np.cumsum([probabilities[place] for place in order], axis=0) / np.arange(1, len(order) + 1)[:, None, None]
    )
    start = 1 + _first_lowest([log_loss(labels, average) for average in averages])
    joined = order[:start]
    total = averages[start - 1] * start
    for count in range(start + 1, start + rounds + 1):
        losses = [log_loss(labels, (total + each) / count) for each in probabilities]
        joined.append(_first_lowest(losses))
        total = total + probabilities[joined[-1]]
    return _kept(labels, probabilities, joined)


def equal_weights(labels: Labels, probabilities: Sequence[Probabilities]) -> Selection:
    """The average of all models, in the order given; nothing is chosen.

    Args:
        labels: ``(n,)`` reference labels, to say how good the average is as each model joins; may be empty.
        probabilities: ``(n, k)`` of each model.

    Raises:
        InputError: There are no models, or they do not belong together.
    """
    _check(labels, probabilities, empty=True)
    joined = list(range(len(probabilities)))
    steps = tuple(_steps(labels, probabilities, joined, kept=len(joined))) if labels.size else ()
    return Selection((1.0 / len(joined),) * len(joined), steps)


def _kept(labels: Labels, probabilities: Sequence[Probabilities], joined: Sequence[int]) -> Selection:
    """The best of the averages of the first one, two, three … models that joined."""
    losses = [step.loss for step in _steps(labels, probabilities, joined, kept=0)]
    kept = 1 + _first_lowest(losses)
    counts = np.bincount(joined[:kept], minlength=len(probabilities))
    return Selection(tuple((counts / kept).tolist()), tuple(_steps(labels, probabilities, joined, kept=kept)))


def _steps(
    labels: Labels, probabilities: Sequence[Probabilities], joined: Sequence[int], *, kept: int
) -> list[SelectionStep]:
    total: npt.NDArray[np.float64] = np.zeros_like(probabilities[0], dtype=np.float64)
    steps = []
    for count, place in enumerate(joined, start=1):
        total = total + probabilities[place]
        accuracy = float((total.argmax(axis=1) == labels).mean())
        steps.append(SelectionStep(place, log_loss(labels, total / count), accuracy, count <= kept))
    return steps


def _first_lowest(losses: Sequence[float]) -> int:
    lowest = min(losses)
    return next(place for place, loss in enumerate(losses) if loss <= lowest + _LEAST_GAIN)


def _check(labels: Labels, probabilities: Sequence[Probabilities], *, empty: bool = False) -> None:
    shapes = {each.shape for each in probabilities}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2 or next(iter(shapes))[0] != labels.size:
        raise InputError(
            f"Models can only be averaged on the same scans and classes, got {labels.size} labels and probabilities of "
            f"the shapes {sorted(shapes)}."
        )
    if not labels.size and not empty:
        raise InputError("Models cannot be chosen without scans to choose on.")
