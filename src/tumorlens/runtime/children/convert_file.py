"""Task: the convolutional part of a ``.keras`` file becomes a graph from uint8 pixels to map and features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from tumorlens.errors import InputError
from tumorlens.runtime.children.export import export_graph
from tumorlens.runtime.graphs import build_feature_graph, save_graph

__all__ = ["convert_file", "load_body"]


def convert_file(folder: Path, *, model: str, output_layer: str) -> dict[str, Any]:
    """Write ``graph.xml`` and ``graph.bin`` to ``folder``; the answer holds ``map_shape``."""
    body = load_body(Path(model), output_layer)
    height, width = body.input.shape[1:3]
    graph = build_feature_graph(export_graph(body), size=(height, width), preprocessing=None)
    save_graph(graph, folder / "graph.xml")
    return {"map_shape": list(body.output.shape[1:])}


def load_body(path: Path, output_layer: str) -> keras.Model:
    """The model in ``path`` up to ``output_layer``.

    Raises:
        InputError: The file is not a Keras model, or has no such layer, or the layer gives no map.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        tensor = model.get_layer(output_layer).output
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise InputError(
            f"{path} must be a Keras model with a layer {output_layer!r}, but it cannot be used ({reason}): "
            "give a .keras file that tumorlens wrote."
        ) from error
    if len(tensor.shape) != 4 or None in model.input.shape[1:]:
        raise InputError(
            f"The layer {output_layer!r} of {path} must give a map (n, h, w, c) for scans of a fixed size, "
            f"it gives {tensor.shape} for {model.input.shape}: name a convolution or pooling layer."
        )
    return keras.Model(model.input, tensor, name="body")
