"""Task: the convolutional part of a ``.keras`` file becomes a graph from uint8 pixels to map and features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tumorlens.backbones import Preprocessing
from tumorlens.errors import InputError
from tumorlens.runtime.children.convert_backbone import pooled_normalisation
from tumorlens.runtime.children.export import export_graph
from tumorlens.runtime.children.networks import POOLED_NORMALISATION
from tumorlens.runtime.graphs import build_feature_graph, save_graph

__all__ = ["FileBody", "convert_file", "load_body"]


@dataclass(frozen=True)
class FileBody:
    """The first part of a model that was read from a file.

    Attributes:
        pixels: Its input, ``(n, h, w, 3)`` of a fixed size.
        map: What its last layer gives, ``(n, h, w, c)``.
        normalisation: The layer that normalises the pooled map, where the model has one.
    """

    pixels: Any
    map: Any
    normalisation: layers.LayerNormalization | None


def convert_file(folder: Path, *, model: str, output_layer: str) -> dict[str, Any]:
    """Write ``graph.xml`` and ``graph.bin`` to ``folder``; the answer holds ``map_shape``."""
    body = load_body(Path(model), output_layer)
    height, width = body.pixels.shape[1:3]
    start, preprocessing = _after_rescaling(body)
    graph = build_feature_graph(
        export_graph(keras.Model(start, body.map)),
        size=(height, width),
        preprocessing=preprocessing,
        pooled_normalisation=pooled_normalisation(body.normalisation),
    )
    save_graph(graph, folder / "graph.xml")
    return {"map_shape": list(body.map.shape[1:])}


def load_body(path: Path, output_layer: str) -> FileBody:
    """The model in ``path`` up to ``output_layer``.

    Raises:
        InputError: The file is not a Keras model, or has no such layer, or the layer gives no map.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        tensor = model.get_layer(output_layer).output
        (pixels,) = model.inputs
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise InputError(
            f"{path} must be a Keras model with a layer {output_layer!r}, but it cannot be used ({reason}): "
            "give a .keras file that tumorlens wrote."
        ) from error
    if len(tensor.shape) != 4 or None in pixels.shape[1:]:
        raise InputError(
            f"The layer {output_layer!r} of {path} must give a map (n, h, w, c) for scans of a fixed size, "
            f"it gives {tensor.shape} for {pixels.shape}: name a convolution or pooling layer."
        )
    normalising = (layer for layer in model.layers if layer.name == POOLED_NORMALISATION)
    return FileBody(pixels, tensor, next(normalising, None))


def _after_rescaling(body: FileBody) -> tuple[Any, Preprocessing]:
    """The tensor behind the rescalings at the model's start, which Keras cannot convert, and what they compute."""
    tensor, scale, offset = body.pixels, 1.0, 0.0
    for layer, output in reversed(list(_path_to_pixels(body.map))):
        if not isinstance(layer, layers.Rescaling) or np.size(layer.scale) > 1 or np.size(layer.offset) > 1:
            break
        tensor, scale = output, scale * float(layer.scale)
        offset = offset * float(layer.scale) + float(layer.offset)
    steps = Preprocessing("rescaling", False, scale, mean=(-offset, -offset, -offset), std=(1.0, 1.0, 1.0))
    return tensor, steps


def _path_to_pixels(tensor: Any) -> Iterator[tuple[Any, Any]]:
    """Pairs (layer, its output) from ``tensor`` back to the input.

    A layer may have been called more than once (Sequential does that), so its own ``output`` can lie on another path.
    """
    while True:
        layer, call, _ = tensor._keras_history
        sources = layer._inbound_nodes[call].input_tensors
        if not sources:
            return
        yield layer, tensor
        tensor = sources[0]
