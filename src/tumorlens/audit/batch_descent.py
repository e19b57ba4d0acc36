"""L-BFGS on many independent convex problems at once, each with its own memory and step length.

The two-loop recursion of Liu and Nocedal (Mathematical Programming 45 (1989) 503-528), started from a preconditioner
that all problems share. Scores are linear in the point, so a step is searched along them without further products.
Knows nothing about what the problems are.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BatchObjective", "descend"]

Array: TypeAlias = npt.NDArray[np.float32]

_MEMORY_PAIRS = 8
_MOST_STEPS = 100
_TOLERANCE = 1e-7
_SLOPE_LEFT = 0.2
_MOST_TRIALS = 8


class BatchObjective(Protocol):
    """What is minimised: for each problem a convex loss of its scores plus a quadratic penalty of its point."""

    shape: tuple[int, int, int]
    """``(parameters, columns, problems)`` of a point."""

    def scores(self, point: Array) -> Array:
        """``(n, columns, problems)``, linear in the point."""

    def errors(self, scores: Array) -> Array:
        """Gradient of the loss on the scores."""

    def gradient(self, errors: Array, point: Array) -> Array:
        """Gradient of loss and penalty on the point."""

    def slope_and_bend(self, scores: Array, along: Array) -> tuple[Array, Array]:
        """First and second derivative ``(problems,)`` of the loss along a change of scores."""

    def penalty_terms(self, point: Array, along: Array) -> tuple[Array, Array]:
        """First and second derivative ``(problems,)`` of the penalty along a change of the point."""

    def precondition(self, gradient: Array) -> Array:
        """A symmetric, positive definite approximation of the inverse Hessian, applied to a gradient."""


def descend(objective: BatchObjective) -> Array:
    """Minimise every problem, from zero.

    Ends when no problem's expected fall of the loss exceeds 1e-7 (nats a scan), at the latest after 100 steps.

    Args:
        objective: The problems.

    Returns:
        ``(n, columns, problems)`` the scores at the minimum.
    """
    point = np.zeros(objective.shape, np.float32)
    scores = objective.scores(point)
    gradient = objective.gradient(objective.errors(scores), point)
    pairs: deque[_Pair] = deque(maxlen=_MEMORY_PAIRS)
    for _ in range(_MOST_STEPS):
        along = _direction(objective, gradient, pairs)
        fall = -_dot(along, gradient)
        if fall.max() <= _TOLERANCE:
            break
        change = objective.scores(along)
        step = _search(objective, scores, change, objective.penalty_terms(point, along), fall=fall)
        along *= step
        point += along
        scores += step * change
        before, gradient = gradient, objective.gradient(objective.errors(scores), point)
        pairs.append(_pair(along, gradient - before))
    return scores


@dataclass(frozen=True, eq=False)
class _Pair:
    """A step, the change of the gradient along it, and one over their product (0 where that is not positive)."""

    step: Array
    change: Array
    inverse: Array


def _pair(step: Array, change: Array) -> _Pair:
    product = _dot(step, change)
    inverse = np.divide(1, product, out=np.zeros_like(product), where=product > np.finfo(np.float32).tiny)
    return _Pair(step, change, inverse)


def _direction(objective: BatchObjective, gradient: Array, pairs: deque[_Pair]) -> Array:
    towards = gradient.copy()
    shares = []
    for pair in reversed(pairs):
        share = pair.inverse * _dot(pair.step, towards)
        towards -= share * pair.change
        shares.append(share)
    towards = objective.precondition(towards)
    for pair, share in zip(pairs, reversed(shares), strict=True):
        towards += (share - pair.inverse * _dot(pair.change, towards)) * pair.step
    return -towards


def _search(
    objective: BatchObjective, scores: Array, change: Array, penalty: tuple[Array, Array], *, fall: Array
) -> Array:
    """Step lengths ``(problems,)`` where the slope has nearly vanished: Newton's method, bracketed."""
    low = np.zeros_like(fall)
    high = np.full_like(fall, np.inf)
    active = fall > _TOLERANCE
    step = active.astype(np.float32)
    for _ in range(_MOST_TRIALS):
        slope, bend = objective.slope_and_bend(scores + step * change, change)
        slope = slope + penalty[0] + step * penalty[1]
        bend = bend + penalty[1]
        searching = active & (np.abs(slope) > _SLOPE_LEFT * fall)
        if not searching.any():
            break
        low = np.where(slope < 0, step, low)
        high = np.where(slope > 0, step, high)
        newton = step - np.divide(slope, bend, out=np.zeros_like(slope), where=bend > 0)
        middle = np.where(np.isfinite(high), (low + high) / 2, 2 * step)
        inside = (newton > low) & (newton < high)
        step = np.where(searching, np.where(inside, newton, middle), step)
    return step.astype(np.float32)


def _dot(first: Array, second: Array) -> Array:
    """One scalar product a problem."""
    return np.einsum("dch,dch->h", first, second)
