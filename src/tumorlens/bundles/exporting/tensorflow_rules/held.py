"""Values whose axes lie in another order than the graph says, so that pictures stay channels last.

OpenVINO's filters take ``(n, c, h, w)``, TensorFlow's ``(n, h, w, c)``. A transpose of the graph therefore only changes
what is noted about the order; axes are moved where an operation needs them in a certain one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from tumorlens.bundles.exporting.rule_table import Call

__all__ = ["CHANNELS_LAST", "Held", "TensorflowCall", "TensorflowRule", "align", "arrange", "hold", "plain", "turn"]

CHANNELS_LAST = (0, 2, 3, 1)
"""The order in which ``(n, c, h, w)`` lies in memory for TensorFlow's filters."""


@dataclass(frozen=True, eq=False)
class Held:
    """A value.

    Attributes:
        tensor: A tensor, or an array where it is a constant.
        order: Which axis of the graph's value each of its axes is.
    """

    tensor: Any
    order: tuple[int, ...]


TensorflowCall: TypeAlias = Call[None, Held]
TensorflowRule: TypeAlias = Callable[[TensorflowCall], Held | Sequence[Held]]


def hold(tensor: Any) -> Held:
    """A value whose axes lie as the graph says."""
    return Held(tensor, tuple(range(len(tensor.shape))))


def plain(value: Held) -> Any:
    """The tensor with its axes as the graph says."""
    return arrange(value, tuple(range(len(value.order))))


def arrange(value: Held, order: Sequence[int]) -> Any:
    """The tensor with its axes in ``order``."""
    moves = [value.order.index(axis) for axis in order]
    if moves == list(range(len(moves))):
        return value.tensor
    return (
        np.transpose(value.tensor, moves) if isinstance(value.tensor, np.ndarray) else tf.transpose(value.tensor, moves)
    )


def turn(value: Held, axes: Sequence[int]) -> Held:
    """The graph's transpose: axis i of the result is axis ``axes[i]`` of ``value``. Nothing is moved."""
    return Held(value.tensor, tuple(list(axes).index(axis) for axis in value.order))


def align(values: Sequence[Held]) -> tuple[list[Any], tuple[int, ...]]:
    """Tensors for an operation that broadcasts, all in one order: that of the first computed one of the full rank."""
    rank = max(len(value.order) for value in values)
    full = [value for value in values if len(value.order) == rank]
    leading = next((value for value in full if not isinstance(value.tensor, np.ndarray)), full[0])
    return [_broadcastable(value, leading.order) for value in values], leading.order


def _broadcastable(value: Held, order: tuple[int, ...]) -> Any:
    missing = len(order) - len(value.order)
    if missing == len(order):
        return value.tensor
    if missing == 0:
        return arrange(value, order)
    tensor = plain(value)
    if order == tuple(range(len(order))):
        return tensor
    for _ in range(missing):
        tensor = tensor[None] if isinstance(tensor, np.ndarray) else tf.expand_dims(tensor, 0)
    return arrange(hold(tensor), order)
