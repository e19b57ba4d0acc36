"""What a ``Slice`` or ``StridedSlice`` takes, axis by axis, for both targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tumorlens.bundles.exporting.rule_table import Call, unsupported

__all__ = ["SlicePlan", "SliceStep", "slice_steps", "strided_slice_steps"]

_FAR = int(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class SliceStep:
    """What is taken along one axis, by Python's rules.

    Attributes:
        axis: The axis.
        start: First element; negative ones count from the end.
        stop: The one that is no longer taken.
        step: Distance; may be negative.
    """

    axis: int
    start: int
    stop: int
    step: int


@dataclass(frozen=True)
class SlicePlan:
    """What a ``StridedSlice`` does.

    Attributes:
        steps: What is taken.
        dropped: Axes of length 1 that go away then.
        added: Axes of length 1 that come in after that, by their place in the result.
    """

    steps: tuple[SliceStep, ...]
    dropped: tuple[int, ...]
    added: tuple[int, ...]


def slice_steps(call: Call[Any, Any]) -> tuple[SliceStep, ...]:
    """What a ``Slice`` takes."""
    starts, stops, steps = ([_near(value) for value in call.numbers(place)] for place in (1, 2, 3))
    axes = call.axes(4, rank=call.rank()) if len(call.inputs) > 4 else tuple(range(len(starts)))
    return tuple(SliceStep(*each) for each in zip(axes, starts, stops, steps, strict=True))


def strided_slice_steps(call: Call[Any, Any]) -> SlicePlan:
    """What a ``StridedSlice`` takes, with its masks worked in.

    Raises:
        InputError: It has an ellipsis.
    """
    if any(call.setting("ellipsis_mask")):
        raise unsupported(call.operation, "it has an ellipsis")
    starts, stops = ([_near(value) for value in call.numbers(place)] for place in (1, 2))
    steps = [int(step) for step in call.numbers(3)] if len(call.inputs) > 3 else [1] * len(starts)
    whole_start, whole_stop, shrink, new = (
        _mask(call, name, len(starts)) for name in ("begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask")
    )
    taken, dropped, added, axis, place = [], [], [], 0, 0
    for number, step in enumerate(steps):
        if new[number]:
            added.append(place)
            place += 1
            continue
        start = (_FAR if step < 0 else 0) if whole_start[number] else starts[number]
        stop = (-_FAR if step < 0 else _FAR) if whole_stop[number] else stops[number]
        if shrink[number]:
            taken.append(SliceStep(axis, starts[number], starts[number] + 1 or _FAR, 1))
            dropped.append(axis)
        else:
            taken.append(SliceStep(axis, start, stop, step))
            place += 1
        axis += 1
    return SlicePlan(tuple(taken), tuple(dropped), tuple(added))


def _mask(call: Call[Any, Any], name: str, length: int) -> list[bool]:
    given = [bool(flag) for flag in call.operation.attributes.get(name, ())]
    return given + [False] * (length - len(given))


def _near(value: Any) -> int:
    """A bound that 32 bits can hold; beyond lies nothing anyway."""
    return int(np.clip(int(value), -_FAR, _FAR))
