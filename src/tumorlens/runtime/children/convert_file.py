"""Task: the convolutional part of a ``.keras`` file becomes a graph from uint8 pixels to map and features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tumorlens.backbones import Preprocessing
from tumorlens.errors import InputError
from tumorlens.runtime.children.export import export_graph
from tumorlens.runtime.graphs import build_feature_graph, save_graph

__all__ = ["convert_file", "load_body"]


def convert_file(folder: Path, *, model: str, output_layer: str) -> dict[str, Any]:
    """Write ``graph.xml`` and ``graph.bin`` to ``folder``; the answer holds ``map_shape``."""
    whole = load_body(Path(model), output_layer)
    height, width = whole.inputs[0].shape[1:3]
    body, preprocessing = _cut_rescaling(whole)
    graph = build_feature_graph(export_graph(body), size=(height, width), preprocessing=preprocessing)
    save_graph(graph, folder / "graph.xml")
    return {"map_shape": list(whole.output.shape[1:])}


def _cut_rescaling(model: keras.Model) -> tuple[keras.Model, Preprocessing]:
    """The model without the rescalings at its start (Keras cannot convert them without TensorFlow), and those."""
    tensor, scale, offset = model.inputs[0], 1.0, 0.0
    for layer in model.layers[1:]:
        if not isinstance(layer, layers.Rescaling) or np.size(layer.scale) > 1 or np.size(layer.offset) > 1:
            break
        tensor, scale = layer.output, scale * float(layer.scale)
        offset = offset * float(layer.scale) + float(layer.offset)
    steps = Preprocessing("rescaling", False, scale, mean=(-offset,) * 3, std=(1.0, 1.0, 1.0))
    return keras.Model(tensor, model.output, name="body"), steps


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
    (pixels,) = model.inputs
    if len(tensor.shape) != 4 or None in pixels.shape[1:]:
        raise InputError(
            f"The layer {output_layer!r} of {path} must give a map (n, h, w, c) for scans of a fixed size, "
            f"it gives {tensor.shape} for {pixels.shape}: name a convolution or pooling layer."
        )
    return keras.Model(pixels, tensor, name="body")
