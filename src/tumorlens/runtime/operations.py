"""A graph as plain data: its operations in the order they are computed, with constants as arrays.

What translates a graph into another format reads this and needs to know nothing about OpenVINO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov

from tumorlens.runtime.graphs import read_graph

__all__ = ["GraphOutput", "Operation", "OperationGraph", "Value", "operations_of", "read_operations"]

Shape = tuple[int | None, ...]
"""Lengths of the axes; ``None``: free."""


@dataclass(frozen=True)
class Value:
    """One value that an operation gives.

    Attributes:
        operation: The operation's place in :attr:`OperationGraph.operations`.
        output: Which of its outputs.
    """

    operation: int
    output: int


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation.

    Attributes:
        name: Its name, unlike all others' of the graph.
        kind: What it computes, as OpenVINO calls it ("Convolution").
        attributes: Its settings by OpenVINO's names; padding as it comes out for the graph's sizes.
        inputs: What it takes.
        shapes: Shape of each output.
        types: NumPy name of each output's type ("float32").
        constant: Of a ``Constant`` its array, else ``None``.
    """

    name: str
    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    types: tuple[str, ...]
    constant: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class GraphOutput:
    """One output of a graph.

    Attributes:
        name: Its name ("probabilities").
        value: What it gives.
    """

    name: str
    value: Value


@dataclass(frozen=True, eq=False)
class OperationGraph:
    """A graph.

    Attributes:
        operations: All but outputs, each after those whose values it takes; inputs are of the kind ``Parameter``.
        outputs: In their order.
    """

    operations: tuple[Operation, ...]
    outputs: tuple[GraphOutput, ...]

    def source(self, value: Value) -> Operation:
        """The operation that gives ``value``."""
        return self.operations[value.operation]

    def shape(self, value: Value) -> Shape:
        """Shape of ``value``."""
        return self.source(value).shapes[value.output]

    def type(self, value: Value) -> str:
        """NumPy name of the type of ``value``."""
        return self.source(value).types[value.output]


def read_operations(path: Path) -> OperationGraph:
    """The graph in ``path`` (.xml).

    Raises:
        IntegrityError: It is missing or damaged.
    """
    return operations_of(read_graph(path))


def operations_of(graph: ov.Model) -> OperationGraph:
    """A graph in memory, which stays as it is."""
    nodes = [node for node in graph.get_ordered_ops() if node.get_type_name() != "Result"]
    places = {node.get_name(): place for place, node in enumerate(nodes)}
    names = _different([_input_name(node) or node.get_friendly_name() for node in nodes])

    def value(output: Any) -> Value:
        return Value(places[output.get_node().get_name()], output.get_index())

    operations = tuple(
        Operation(
            name=name,
            kind=node.get_type_name(),
            attributes=node.get_attributes(),
            inputs=tuple(value(each) for each in node.input_values()),
            shapes=tuple(_shape(each) for each in node.outputs()),
            types=tuple(np.dtype(each.get_element_type().to_dtype()).name for each in node.outputs()),
            constant=np.array(node.data) if node.get_type_name() == "Constant" else None,
        )
        for name, node in zip(names, nodes, strict=True)
    )
    outputs = tuple(GraphOutput(each.get_any_name(), value(each.get_node().input_value(0))) for each in graph.outputs)
    return OperationGraph(operations, outputs)


def _different(names: list[str]) -> list[str]:
    """The names, each after the first of its kind with its place behind it."""
    known: set[str] = set()
    for place, name in enumerate(names):
        if name in known:
            names[place] = f"{name}/{place}"
        known.add(names[place])
    return names


def _input_name(node: Any) -> str | None:
    """Of an input the name it is given values by."""
    return node.output(0).get_any_name() if node.get_type_name() == "Parameter" and node.output(0).names else None


def _shape(output: Any) -> Shape:
    shape = output.get_partial_shape()
    return tuple(None if axis.is_dynamic else axis.get_length() for axis in shape)
