"""Collects the nodes and constants of an ONNX graph, each under a name of its own. Knows nothing about OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

__all__ = ["OnnxBuilder", "element_type"]


class OnnxBuilder:
    """The part of an ONNX graph that was written so far."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: set[str] = set()

    def name(self, wanted: str) -> str:
        """``wanted``, or that with a number where it is taken; it is taken from now on."""
        name, number = wanted, 1
        while name in self._names:
            name, number = f"{wanted}.{number}", number + 1
        self._names.add(name)
        return name

    def constant(self, values: npt.NDArray[Any], *, name: str = "constant") -> str:
        """Hold ``values``; give the name they are found under."""
        found = self.name(name)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), found))
        return found

    def ints(self, *values: int) -> str:
        """Hold a row of int64 numbers."""
        return self.constant(np.array(values, np.int64), name="numbers")

    def number(self, value: float, *, like: str) -> str:
        """Hold one number of the type ``like``, a NumPy name."""
        return self.constant(np.array(value, like), name="number")

    def emit(self, kind: str, inputs: Sequence[str], *, name: str, **attributes: Any) -> str:
        """Write a node of one output; give the output's name.

        Args:
            kind: ONNX' name of the operator.
            inputs: Names of what it takes; empty for one that is left out.
            name: What to call its output.
            attributes: The operator's attributes; ``None``: left out.
        """
        return self.emit_many(kind, inputs, name=name, outputs=1, **attributes)[0]

    def emit_many(
        self, kind: str, inputs: Sequence[str], *, name: str, outputs: int, **attributes: Any
    ) -> tuple[str, ...]:
        """Write a node; give the names of all its outputs."""
        given = tuple(self.name(name if place == 0 else f"{name}.out{place}") for place in range(outputs))
        known = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, list(inputs), list(given), name=given[0], **known))
        return given


def element_type(numpy_name: str) -> int:
    """ONNX' number of a type by its NumPy name."""
    return helper.np_dtype_to_tensor_dtype(np.dtype(numpy_name))
