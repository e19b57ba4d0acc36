"""Cuts a network in two at a layer, whatever its connections, and measures where its arithmetic lies.

The lower part is everything the layer depends on; the upper part is the rest. What crosses between them is found from
the graph: one tensor behind a residual join, several where branches run past the layer (cells of NASNet). Lower then
upper is the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

__all__ = ["Halves", "arithmetic_above", "cut_network", "stage_of_layers"]


@dataclass(frozen=True)
class Halves:
    """A network cut in two.

    Attributes:
        lower: From the network's input to the tensors that cross, in order.
        upper: From those tensors to the network's output; shares its layers and weights with the network.
        shapes: Shape of each crossing tensor without the batch.
    """

    lower: keras.Model
    upper: keras.Model
    shapes: tuple[tuple[int, ...], ...]


def cut_network(network: keras.Model, layer: str) -> Halves:
    """Cut ``network`` behind ``layer``.

    Args:
        network: A functional model of one input and one output.
        layer: Name of a layer; it becomes the last one of the lower part. It must not be the network's last.

    Raises:
        ValueError: Nothing of the network lies above the layer.
    """
    below = _ancestors(network, layer)
    made = {id(tensor): tensor for node in _nodes(network) if id(node) in below for tensor in node.outputs}
    crossing: dict[int, Any] = {}
    for node in _nodes(network):
        if id(node) not in below:
            crossing |= {id(tensor): tensor for tensor in node.input_tensors if id(tensor) in made}
    if not crossing:
        raise ValueError(f"nothing lies above the layer {layer!r}")
    tensors = list(crossing.values())
    return Halves(
        lower=keras.Model(network.input, tensors, name="lower"),
        upper=keras.Model(tensors, network.output, name="upper"),
        shapes=tuple(tuple(int(side) for side in tensor.shape[1:]) for tensor in tensors),
    )


def arithmetic_above(network: keras.Model, layer: str) -> float:
    """Share of the network's multiply-adds in convolutions and dense layers above ``layer``, 0..1."""
    below = _ancestors(network, layer)
    total = above = 0.0
    for node in _nodes(network):
        cost = _multiply_adds(node)
        total += cost
        above += cost if id(node) not in below else 0.0
    return above / total


def stage_of_layers(network: keras.Model, ends: Sequence[str]) -> dict[str, int]:
    """The stage of every layer by name: the first one whose end depends on it.

    Args:
        network: A functional model.
        ends: Layers that end the stages, from input to output; what none depends on counts to the last.
    """
    found: dict[str, int] = {}
    for stage, end in enumerate(ends):
        below = _ancestors(network, end)
        for node in _nodes(network):
            if id(node) in below:
                found.setdefault(node.operation.name, stage)
    return {node.operation.name: found.get(node.operation.name, len(ends) - 1) for node in _nodes(network)}


def _nodes(network: keras.Model) -> list[Any]:
    """The network's calls of layers, inputs first."""
    by_depth = network._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _ancestors(network: keras.Model, layer: str) -> set[int]:
    """Identities of the nodes that a layer's output depends on, its own included."""
    nodes = _nodes(network)  # not the layer's own: it may have been called in another model before
    maker = {id(output): node for node in nodes for output in node.outputs}
    found: set[int] = set()
    pending = [node for node in nodes if node.operation.name == layer]
    while pending:
        node = pending.pop()
        if id(node) in found:
            continue
        found.add(id(node))
        pending += [maker[id(source)] for source in node.input_tensors if id(source) in maker]
    return found


def _multiply_adds(node: Any) -> float:
    layer = node.operation
    if isinstance(layer, keras.Sequential):
        return sum(_multiply_adds(inner._inbound_nodes[0]) for inner in layer.layers)
    if isinstance(layer, layers.Dense):
        return float(np.prod(node.outputs[0].shape[1:])) * int(layer.kernel.shape[0])
    if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)):
        return 0.0
    positions = float(np.prod(node.outputs[0].shape[1:3]))
    return positions * sum(float(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) == 4)
