"""A bundle's graph whose network has lost what it learned, a part at a time from the head's side.

The values of each weight are shuffled among themselves, so their distribution stays and their arrangement goes
(Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018, arXiv 1810.03292: cascading randomisation). The head,
normalisations and biases stay, and of quantised weights the scales. Needs no Keras, as it works on the graph itself;
the graph's file stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.errors import InputError
from tumorlens.runtime.weights_in_graph import constant_behind, is_weighted

__all__ = ["randomised_graph"]


def randomised_graph(bundle_graph: Path, *, share: float, seed: int) -> ov.Model:
    """The graph with the weights of its network's last layers shuffled.

    Args:
        bundle_graph: A graph with the output "features": what leads there is the network.
        share: Share of the layers with weights that are shuffled, from the last backwards, above 0 and up to 1.
        seed: Same seed, same order of the values; a larger share only adds layers to those of a smaller one.

    Returns:
        The other graph, in memory, in the precision it had.

    Raises:
        InputError: The share is not in this range.
    """
    if not 0 < share <= 1:
        raise InputError(f"The share of layers to randomise must be above 0 and at most 1, got {share}.")
    model = ov.Core().read_model(bundle_graph)
    weights = list(_network_weights(model))
    for place in range(round(share * len(weights))):
        weight = weights[-1 - place]
        values = np.array(weight.data)
        order = np.random.default_rng((seed, place)).permutation(values.size)
        weight.output(0).replace(op.constant(values.ravel()[order].reshape(values.shape)).output(0))
    model.validate_nodes_and_infer_types()
    return model


def _network_weights(model: ov.Model) -> Iterator[Any]:
    """The constants of weights before the output "features", each once, in the order of computation."""
    features = model.output("features").get_node()
    network = ov.Model([features], model.get_parameters(), "network")
    seen = set()
    for node in network.get_ordered_ops():
        if not is_weighted(node):
            continue
        for source in node.input_values():
            constant = constant_behind(source.get_node())
            if constant is not None and constant.get_friendly_name() not in seen:
                seen.add(constant.get_friendly_name())
                yield constant
