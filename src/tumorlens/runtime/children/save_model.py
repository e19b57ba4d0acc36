"""Task: network and classifier become one ``.keras`` file for further training, of standard layers only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tumorlens.backbones import Preprocessing, find_backbone
from tumorlens.runtime.children.convert_backbone import effective_preprocessing
from tumorlens.runtime.children.convert_file import load_body
from tumorlens.runtime.children.networks import POOLED_NORMALISATION, load_network

__all__ = ["normalise", "preprocess", "save_model"]


def save_model(
    folder: Path,
    *,
    body: dict[str, Any],
    pooled: bool,
    activations: list[str],
    temperature: float,
    shift: list[float],
) -> dict[str, Any]:
    """Write ``model.keras`` to ``folder``; the classifier's arrays are in ``head.npz`` there."""
    inputs, tensor = (_from_file if "model" in body else _from_backbone)(pooled=pooled, **body)
    if len(tensor.shape) == 4:
        collect = layers.GlobalAveragePooling2D(name="pooling") if pooled else layers.Flatten(name="flat")
        tensor = collect(tensor)
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        for i, activation in enumerate(activations):
            tensor = _dense(tensor, arrays[f"weight{i}"], arrays[f"bias{i}"], activation, name=f"dense{i + 1}")
    tensor = layers.Rescaling(1.0 / temperature, offset=shift, name="calibration")(tensor)
    keras.Model(inputs, layers.Softmax(name="probabilities")(tensor), name="tumorlens").save(folder / "model.keras")
    return {}


def _from_file(*, model: str, output_layer: str, pooled: bool) -> tuple[Any, Any]:
    body = load_body(Path(model), output_layer)
    inputs = keras.Input(body.pixels.shape[1:], name="pixels")
    tensor = keras.Model(body.pixels, body.map, name="body")(inputs)
    return inputs, normalise(tensor, body.normalisation, pooled=pooled)


def _from_backbone(*, backbone: str, size: int, weights: str | None, pooled: bool) -> tuple[Any, Any]:
    spec = find_backbone(backbone)
    network = load_network(spec, size=size, weights=Path(weights) if weights else None)
    inputs = keras.Input((size, size, 3), name="pixels")
    tensor = network.body(preprocess(inputs, effective_preprocessing(spec, network)))
    return inputs, normalise(tensor, network.pooled_normalisation, pooled=pooled)


def preprocess(inputs: Any, steps: Preprocessing) -> Any:
    """The preprocessing of 0..255 pixels as a frozen 1x1 convolution."""
    order = (2, 1, 0) if steps.reverse_channels else (0, 1, 2)
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    for channel, source in enumerate(order):
        kernel[0, 0, source, channel] = steps.gain[channel]
    layer = layers.Conv2D(3, 1, trainable=False, name="preprocessing")
    tensor = layer(inputs)
    layer.set_weights([kernel, np.array(steps.offset, np.float32)])
    return tensor


def normalise(
    tensor: Any, source: layers.LayerNormalization | None, *, pooled: bool, name: str = POOLED_NORMALISATION
) -> Any:
    """A network's own normalisation of the pooled map; a flat head sees the map normalised with the same statistics."""
    if source is None:
        return tensor
    if pooled:
        tensor = layers.GlobalAveragePooling2D(name="pooling")(tensor)
        layer = layers.LayerNormalization(epsilon=source.epsilon, name=name)
        tensor = layer(tensor)
        layer.set_weights(source.get_weights())
        return tensor
    pooled_map = layers.GlobalAveragePooling2D(keepdims=True)(tensor)
    mean = keras.ops.mean(pooled_map, axis=-1, keepdims=True)
    variance = keras.ops.mean(keras.ops.square(pooled_map - mean), axis=-1, keepdims=True)
    tensor = (tensor - mean) * keras.ops.rsqrt(variance + source.epsilon)
    layer = layers.DepthwiseConv2D(1, name=name)
    tensor = layer(tensor)
    gamma, beta = source.get_weights()
    layer.set_weights([gamma.reshape(1, 1, -1, 1), beta])
    return tensor


def _dense(tensor: Any, weight: Any, bias: Any, activation: str, *, name: str) -> Any:
    layer = layers.Dense(weight.shape[1], activation=activation, name=name)
    tensor = layer(tensor)
    layer.set_weights([weight, bias])
    return tensor
