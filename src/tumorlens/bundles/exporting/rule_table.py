"""What a translation rule is given, and the tables that hold one for each kind of operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.runtime.operations import Operation, OperationGraph, Shape

__all__ = ["Call", "Rule", "RuleTable", "unsupported"]

Builder = TypeVar("Builder")
Held = TypeVar("Held")


@dataclass(frozen=True, eq=False)
class Call(Generic[Builder, Held]):
    """One operation that is to be translated.

    Attributes:
        builder: What the translation is written to.
        graph: The graph it stands in.
        operation: It.
        inputs: The translations of what it takes.
    """

    builder: Builder
    graph: OperationGraph
    operation: Operation
    inputs: Sequence[Held]

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    def shape(self, place: int) -> Shape:
        """Shape of an input."""
        return self.graph.shape(self.operation.inputs[place])

    def type(self, place: int = 0) -> str:
        """NumPy name of an input's type."""
        return self.graph.type(self.operation.inputs[place])

    def setting(self, name: str) -> Any:
        """One of the operation's attributes."""
        return self.operation.attributes[name]

    def numbers(self, place: int) -> npt.NDArray[Any]:
        """An input that must be a constant, such as axes.

        Raises:
            InputError: It is computed.
        """
        source = self.graph.source(self.operation.inputs[place])
        if source.constant is None:
            raise unsupported(self.operation, f"its input {place} is computed, not constant")
        return source.constant

    def axes(self, place: int, *, rank: int) -> tuple[int, ...]:
        """An input that holds axes, each in 0..rank-1."""
        return tuple(int(axis) % rank for axis in np.atleast_1d(self.numbers(place)))

    def rank(self, place: int = 0) -> int:
        """Number of axes of an input."""
        return len(self.shape(place))

    def lengths(self, place: int, axes: Sequence[int]) -> tuple[int, ...]:
        """Lengths of some axes of an input.

        Raises:
            InputError: One is free.
        """
        shape = self.shape(place)
        known = tuple(length for axis in axes if (length := shape[axis]) is not None)
        if len(known) != len(axes):
            raise unsupported(self.operation, "it needs a fixed size")
        return known


Rule = Callable[[Call[Builder, Held]], Held | Sequence[Held]]
"""Writes one operation's translation and gives that of its output or outputs."""


class RuleTable(Generic[Builder, Held]):
    """Rules by OpenVINO's name of an operation.

    Args:
        target: What is translated into, for messages ("ONNX").
        parts: Tables whose rules it holds.
    """

    def __init__(self, target: str, *parts: Mapping[str, Rule[Builder, Held]]) -> None:
        self._target = target
        self._rules: dict[str, Rule[Builder, Held]] = {kind: rule for part in parts for kind, rule in part.items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The operations it has a rule for."""
        return tuple(sorted(self._rules))

    def translate(self, graph: OperationGraph, builder: Builder, *, given: Mapping[str, Held]) -> dict[str, Held]:
        """Translate a graph.

        Args:
            graph: The graph.
            builder: What the translation is written to.
            given: Its inputs by name.

        Returns:
            Its outputs by name.

        Raises:
            InputError: There is no rule for one of its operations.
        """
        self._check(graph)
        values: list[Sequence[Held]] = []
        for operation in graph.operations:
            if operation.kind == "Parameter":
                values.append([given[operation.name]])
                continue
            inputs = [values[each.operation][each.output] for each in operation.inputs]
            values.append(_as_many(self._rules[operation.kind](Call(builder, graph, operation, inputs))))
        return {output.name: values[output.value.operation][output.value.output] for output in graph.outputs}

    def _check(self, graph: OperationGraph) -> None:
        unknown = sorted({each.kind for each in graph.operations} - {"Parameter", *self._rules})
        if unknown:
            raise InputError(
                f"{self._target} export knows no translation of the operation {', '.join(unknown)} in this model's "
                "graph: choose --format openvino, or report it."
            )


def _as_many(answer: Any) -> Sequence[Any]:
    """A rule's answer as one value an output."""
    return answer if isinstance(answer, list | tuple) else [answer]


def unsupported(operation: Operation, reason: str) -> InputError:
    """The error for an operation that has a rule, but not for the way it is used."""
    return InputError(
        f"The operation {operation.kind} ({operation.name}) cannot be exported, as {reason}: choose --format openvino."
    )
