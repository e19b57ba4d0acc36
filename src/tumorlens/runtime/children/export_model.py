"""Task: ``.keras`` models of bundles become one for prediction, from uint8 pixels to probabilities, map and features.

Of layers and operations that come with Keras, so that it loads without tumorlens. What its outputs are is said in
:mod:`tumorlens.runtime.bundle_graphs`, and of several models in :mod:`tumorlens.runtime.ensemble_graphs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tumorlens.errors import InputError
from tumorlens.runtime.children.networks import POOLED_NORMALISATION
from tumorlens.runtime.children.save_model import normalise
from tumorlens.runtime.ensemble_graphs import shared_area

__all__ = ["export_model"]

_SMALLEST = float(np.finfo(np.float32).tiny)


def export_model(folder: Path, *, models: list[str], join: dict[str, Any] | None) -> dict[str, Any]:
    """Write ``model.keras`` to ``folder``.

    Args:
        folder: Where it goes.
        models: The bundles' models.
        join: Of several what each counts (``weights``, ``temperatures``, ``map_adds_up``), and the calibration of
            their mean (``temperature``, ``shift``); ``None`` for one.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="pixels")
    outputs = [_outputs(Path(path), pixels, prefix="" if join is None else f"m{i}_") for i, path in enumerate(models)]
    joined = outputs[0] if join is None else _join(outputs, **join)
    named = {name: layers.Identity(name=name)(tensor) for name, tensor in joined.items()}
    keras.Model(pixels, named, name="tumorlens").save(folder / "model.keras")
    return {}


def _outputs(path: Path, pixels: Any, *, prefix: str) -> dict[str, Any]:
    """The three outputs of one bundle's model."""
    whole = keras.saving.load_model(path, compile=False, safe_mode=True)
    known = {layer.name: layer for layer in whole.layers}
    collecting = next((known[name] for name in ("pooling", "flat") if name in known), None)
    if collecting is None or "calibration" not in known:
        raise InputError(f"{path} must be a .keras model that tumorlens wrote: make the bundle again.")
    height, width = whole.inputs[0].shape[1:3]
    # Not Resizing, for the reason below.
    sized = ops.image.resize(ops.cast(pixels, "float32"), (height, width), interpolation="bilinear", antialias=False)
    network = keras.Model(whole.inputs, collecting.input, name=f"{prefix}network")
    pooled = collecting.name == "pooling"
    feature_map = network(sized)
    if pooled and POOLED_NORMALISATION in known:
        feature_map = normalise(feature_map, known[POOLED_NORMALISATION], pooled=False, name=f"{prefix}normalisation")
    dense = [known[name] for name in (f"dense{i}" for i in range(1, len(known) + 1)) if name in known]
    logits, class_map = _head(feature_map, dense, pooled=pooled, prefix=prefix)
    calibration = known["calibration"]
    scaled = _scale(logits, calibration.scale, calibration.offset, name=f"{prefix}calibration")
    return {
        "probabilities": layers.Softmax(name=f"{prefix}softmax")(scaled),
        "map": class_map,
        "features": layers.GlobalAveragePooling2D(name=f"{prefix}pooling")(feature_map),
    }


def _head(feature_map: Any, dense: Sequence[Any], *, pooled: bool, prefix: str) -> tuple[Any, Any]:
    """Logits ``(n, k)`` and class map ``(n, h, w, k)``.

    Each layer's weights are applied to the vector and, without bias, at every position of the map; a ReLU that is shut
    for the vector is shut at every position.
    """
    height, width, channels = feature_map.shape[1:]
    rows = layers.Reshape((height * width, channels), name=f"{prefix}rows")(feature_map)
    weight, bias = dense[0].get_weights()
    if pooled:
        first = layers.Dense(len(bias), use_bias=False, name=f"{prefix}dense1")
        at_positions, kernel = first(rows), weight
    else:
        shape = (height * width, len(bias))
        first = layers.EinsumDense("npc,pcj->npj", output_shape=shape, name=f"{prefix}dense1")
        at_positions, kernel = first(rows), weight.reshape(height * width, channels, -1)
    first.set_weights([kernel])
    collected = ops.mean(at_positions, axis=1) if pooled else ops.sum(at_positions, axis=1)
    values = _scale(collected, 1.0, bias, name=f"{prefix}bias1")
    for number, (before, layer) in enumerate(pairwise(dense), start=2):
        if before.activation is keras.activations.relu:
            mask = ops.cast(ops.greater(values, 0.0), "float32")
            values, at_positions = values * mask, at_positions * ops.expand_dims(mask, 1)
        weight, bias = layer.get_weights()
        shared = layers.Dense(len(bias), use_bias=False, name=f"{prefix}dense{number}")
        values, at_positions = shared(values), shared(at_positions)
        shared.set_weights([weight])
        values = _scale(values, 1.0, bias, name=f"{prefix}bias{number}")
    class_map = layers.Reshape((height, width, int(values.shape[-1])), name=f"{prefix}class_map")(at_positions)
    return values, class_map


def _scale(values: Any, factor: float, summand: Any, *, name: str) -> Any:
    """``values * factor + summand`` of ``(n, k)`` values, as a frozen dense layer.

    Not Rescaling: that layer asks for TensorFlow under every engine.
    """
    width = int(values.shape[-1])
    layer = layers.Dense(width, trainable=False, name=name)
    scaled = layer(values)
    layer.set_weights([np.eye(width, dtype=np.float32) * factor, np.broadcast_to(np.float32(summand), width)])
    return scaled


def _join(
    outputs: Sequence[Mapping[str, Any]],
    *,
    weights: list[float],
    temperatures: list[float],
    map_adds_up: list[bool],
    temperature: float,
    shift: list[float],
) -> dict[str, Any]:
    probabilities = _sum(each["probabilities"] * weight for each, weight in zip(outputs, weights, strict=True))
    if temperature != 1.0 or shift:
        logits = ops.log(ops.maximum(probabilities, _SMALLEST))
        probabilities = layers.Softmax(name="softmax")(
            _scale(logits, 1.0 / temperature, shift or 0.0, name="calibration")
        )
    grids = [tuple(each["map"].shape[1:3]) for each in outputs]
    finest = max(height for height, _ in grids), max(width for _, width in grids)
    shares = [
        weight / own * (height * width if adds_up else 1)
        for weight, own, adds_up, (height, width) in zip(weights, temperatures, map_adds_up, grids, strict=True)
    ]
    laid = [
        _laid_on(each["map"], grid, finest, place)
        for place, (each, grid) in enumerate(zip(outputs, grids, strict=True))
    ]
    parts = [_unit(each["features"]) * float(np.sqrt(w)) for each, w in zip(outputs, weights, strict=True)]
    return {
        "probabilities": probabilities,
        "map": _sum(each * share for each, share in zip(laid, shares, strict=True)),
        "features": ops.concatenate(parts, axis=1),
    }


def _laid_on(class_map: Any, grid: tuple[int, int], finest: tuple[int, int], place: int) -> Any:
    """A map on another grid over the same scan, by shared area: rows first, then columns."""
    if grid == finest:
        return class_map
    by_class = ops.transpose(class_map, (0, 3, 2, 1))
    for axis in (0, 1):
        layer = layers.Dense(finest[axis], use_bias=False, trainable=False, name=f"m{place}_area{axis}")
        by_class = layer(by_class)
        layer.set_weights([shared_area(grid[axis], finest[axis]).T])
        by_class = ops.transpose(by_class, (0, 1, 3, 2))
    return ops.transpose(by_class, (0, 3, 2, 1))


def _unit(features: Any) -> Any:
    squares = ops.sum(ops.square(features), axis=1, keepdims=True)
    return features / ops.sqrt(ops.maximum(squares, _SMALLEST))


def _sum(values: Any) -> Any:
    total, *others = values
    for other in others:
        total = total + other
    return total
