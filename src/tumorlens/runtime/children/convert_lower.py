"""Task: the lower part of a backbone becomes a graph from uint8 pixels to what its upper part is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from tumorlens.backbones import BackboneSpec, find_backbone
from tumorlens.runtime.children.boundary import arithmetic_above, cut_network
from tumorlens.runtime.children.convert_backbone import effective_preprocessing
from tumorlens.runtime.children.export import export_graph
from tumorlens.runtime.children.networks import load_network, weights_digest
from tumorlens.runtime.graphs import build_boundary_graph, save_graph

__all__ = ["convert_lower"]

_SHARES = {"last": 0.15, "half": 0.45}
"""Share of the network's arithmetic that is to be trained; the stage whose share is nearest is taken."""


def convert_lower(folder: Path, *, backbone: str, size: int, weights: str | None, fine_tune: str) -> dict[str, Any]:
    """Write ``graph.xml`` and ``graph.bin`` of everything below the first trained stage to ``folder``.

    Args:
        folder: Where to.
        backbone: Name of the network.
        size: Side of its input, pixels.
        weights: Its weights file; ``None``: random.
        fine_tune: ``last``, ``half``, or the first stage to be trained.

    Returns:
        ``weights_digest``, ``stage`` (the first trained one), ``layer`` (the last frozen one), ``shapes`` of what
        crosses, and ``trained_share`` of the arithmetic.
    """
    spec = find_backbone(backbone)
    network = load_network(spec, size=size, weights=Path(weights) if weights else None)
    stage, layer = _choose(spec, network.body, fine_tune)
    halves = cut_network(network.body, layer)
    graph = build_boundary_graph(
        export_graph(halves.lower), size=size, preprocessing=effective_preprocessing(spec, network)
    )
    save_graph(graph, folder / "graph.xml")
    return {
        "weights_digest": weights_digest(network.model),
        "stage": stage,
        "layer": layer,
        "shapes": [list(shape) for shape in halves.shapes],
        "trained_share": arithmetic_above(network.body, layer),
    }


def _choose(spec: BackboneSpec, body: keras.Model, fine_tune: str) -> tuple[str, str]:
    """The first trained stage, and the layer that ends the one before."""
    places = {following: layer for (_, layer), (following, _) in zip(spec.stages[:-1], spec.stages[1:], strict=True)}
    if fine_tune in _SHARES:
        wanted = _SHARES[fine_tune]
        stage = min(places, key=lambda name: abs(arithmetic_above(body, places[name]) - wanted))
        return stage, places[stage]
    return fine_tune, places[fine_tune]
