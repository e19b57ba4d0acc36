"""Task: a backbone becomes a graph from uint8 pixels to map and features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from keras import layers

from tumorlens.backbones import BackboneSpec, Preprocessing, find_backbone
from tumorlens.runtime.children.export import export_graph
from tumorlens.runtime.children.networks import Network, load_network, weights_digest
from tumorlens.runtime.graphs import PooledNormalisation, build_feature_graph, save_graph

__all__ = ["convert_backbone", "effective_preprocessing", "pooled_normalisation"]


def convert_backbone(folder: Path, *, backbone: str, size: int, weights: str | None) -> dict[str, Any]:
    """Write ``graph.xml`` and ``graph.bin`` to ``folder``.

    Returns:
        ``weights_digest``, ``map_shape`` and ``notes``.
    """
    spec = find_backbone(backbone)
    network = load_network(spec, size=size, weights=Path(weights) if weights else None)
    preprocessing = effective_preprocessing(spec, network)
    graph = build_feature_graph(
        export_graph(network.body),
        preprocessing=preprocessing,
        size=size,
        pooled_normalisation=pooled_normalisation(network.pooled_normalisation),
    )
    save_graph(graph, folder / "graph.xml")
    shape = graph.output("map").get_partial_shape()
    return {
        "weights_digest": weights_digest(network.model),
        "map_shape": [shape[i].get_length() for i in (1, 2, 3)],
        "notes": _notes(spec, preprocessing),
    }


def effective_preprocessing(spec: BackboneSpec, network: Network) -> Preprocessing:
    r"""The preprocessing of ``spec``, with the constants its weights file holds where it does.

    ``weights="imagenet"`` makes Keras' EfficientNet compute :math:`(x/255 - m) / \sqrt{v} / \sqrt{\sigma}` with
    mean m and variance v from the file and ImageNet's :math:`\sigma`; the published file has :math:`v = \sigma`.
    """
    if network.fitted is None:
        return spec.preprocessing
    mean, variance = network.fitted
    red, green, blue = np.sqrt(np.asarray(variance) * np.asarray(spec.preprocessing.std)).tolist()
    return replace(spec.preprocessing, mean=(mean[0], mean[1], mean[2]), std=(red, green, blue))


def _notes(spec: BackboneSpec, used: Preprocessing) -> list[str]:
    published = spec.preprocessing
    if np.allclose(used.gain, published.gain, rtol=1e-4) and np.allclose(used.offset, published.offset, rtol=1e-4):
        return []
    return [
        f"The weights file of {spec.title} holds its own input normalisation, which is used as Keras would: "
        f"it differs from the published one."
    ]


def pooled_normalisation(layer: layers.LayerNormalization | None) -> PooledNormalisation | None:
    """What a layer that normalises pooled features holds."""
    if layer is None:
        return None
    gamma, beta = layer.get_weights()
    return PooledNormalisation(gamma=gamma, beta=beta, epsilon=float(layer.epsilon))
