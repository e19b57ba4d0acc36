"""Layers with weights in a graph, and the constants that hold their weights. Changes nothing."""

from __future__ import annotations

from typing import Any

__all__ = ["constant_behind", "is_weighted"]

_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")
_REARRANGING = ("Transpose", "Unsqueeze", "Squeeze", "Reshape", "Convert")
_DEQUANTISING = ("Multiply", "Subtract", "FakeQuantize")


def is_weighted(node: Any) -> bool:
    """Whether ``node`` is a layer with weights: a convolution or product with a constant."""
    return node.get_type_name() in _WEIGHTED and any(
        constant_behind(value.get_node()) is not None for value in node.input_values()
    )


def constant_behind(node: Any) -> Any:
    """The constant that ``node`` only rearranges or brings back from 8-bit integers; ``None`` where there is none."""
    while node.get_type_name() in _REARRANGING or _dequantises(node):
        node = node.input_value(0).get_node()
    return node if node.get_type_name() == "Constant" else None


def _dequantises(node: Any) -> bool:
    """Whether all that ``node`` joins to its first input are constants."""
    return node.get_type_name() in _DEQUANTISING and all(
        constant_behind(value.get_node()) is not None for value in node.input_values()[1:]
    )
