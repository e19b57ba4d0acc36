"""Child's side of the CNN from scratch: builds it in Keras and trains it on scans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tumorlens.training.child import Say
from tumorlens.training.head_files import save_layers
from tumorlens.training.tuning_task import tune_model
from tumorlens.workspace import atomic_path

__all__ = ["build_body", "run"]


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Train the network of ``job``; write ``head.npz`` and the convolutional body, a ``.keras`` file."""
    body = build_body(job["size"], filters=job["filters"])
    values = keras.layers.Flatten()(body.output)
    dense = [keras.layers.Dense(units, activation="relu") for units in job["hidden"]]
    dense.append(keras.layers.Dense(job["n_classes"], name="logits"))
    for layer in dense:
        values = layer(values)
    groups = [[variable for layer in dense for variable in layer.trainable_variables], body.trainable_variables]
    history = tune_model(job, keras.Model(body.input, values), groups, say)
    save_layers(Path(job["folder"]) / "head.npz", [tuple(layer.get_weights()) for layer in dense])
    with atomic_path(Path(job["body"])) as temporary:
        body.save(temporary)
    return {"history": history}


def build_body(size: int, *, filters: list[int]) -> Any:
    """Pixels 0..255 → per filter count a 3x3 ReLU convolution and 2x2 pooling → layer ``map``."""
    inputs = keras.Input((size, size, 3), name="pixels")
    # Not Rescaling: that layer asks for TensorFlow even where another engine reads the file.
    scaling = keras.layers.Conv2D(3, 1, use_bias=False, trainable=False, name="scaling")
    values = scaling(inputs)
    scaling.set_weights([np.eye(3, dtype=np.float32)[None, None] / 255])
    for position, count in enumerate(filters, start=1):
        values = keras.layers.Conv2D(count, 3, activation="relu")(values)
        name = "map" if position == len(filters) else None
        values = keras.layers.MaxPooling2D(name=name)(values)
    return keras.Model(inputs, values)
