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
from tumorlens.training.view_readers import open_reader
from tumorlens.workspace import atomic_path

__all__ = ["build_body", "run"]

_MEASURED = 512
_BATCH = 32


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Train the network of ``job``; write ``head.npz`` and the convolutional body, a ``.keras`` file."""
    first = job["first_weights"]
    mean, deviation = _grey_levels(job)
    body = build_body(job["size"], filters=job["filters"], mean=mean, deviation=deviation, first_weights=first)
    values = keras.layers.Flatten()(body.output)
    dense = [keras.layers.Dense(units, activation="relu", kernel_initializer=first) for units in job["hidden"]]
    dense.append(keras.layers.Dense(job["n_classes"], name="logits", kernel_initializer=first))
    for layer in dense:
        values = layer(values)
    groups = [[variable for layer in dense for variable in layer.trainable_variables], body.trainable_variables]
    history = tune_model(job, keras.Model(body.input, values), groups, say)
    save_layers(Path(job["folder"]) / "head.npz", [tuple(layer.get_weights()) for layer in dense])
    with atomic_path(Path(job["body"])) as temporary:
        body.save(temporary)
    return {"history": history}


def _grey_levels(job: Mapping[str, Any]) -> tuple[float, float]:
    """Mean and standard deviation, 0..255, over training scans as they are: all, or so many at even distances."""
    with np.load(Path(job["folder"]) / "rows.npz", allow_pickle=False) as arrays:
        rows = arrays["train_rows"]
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MEASURED)).round().astype(np.int64)]
    reader = open_reader(job["source"])
    sums, count = np.zeros(2), 0
    for start in range(0, len(rows), _BATCH):
        values = reader.read(rows[start : start + _BATCH], None)[0].astype(np.float64)
        sums += values.sum(), np.square(values).sum()
        count += values.size
    mean, square = sums / count
    return float(mean), float(np.sqrt(max(square - mean**2, 1.0)))  # at least one grey level: scans may be all alike


def build_body(size: int, *, filters: list[int], mean: float, deviation: float, first_weights: str) -> Any:
    """Pixels 0..255, standardised → per filter count a 3x3 ReLU convolution and 2x2 pooling → layer ``map``.

    Args:
        size: Side of the input, pixels.
        filters: Of each convolution.
        mean: Grey level that becomes 0.
        deviation: Grey levels that become 1.
        first_weights: Keras' name of how kernels are drawn.
    """
    inputs = keras.Input((size, size, 3), name="pixels")
    # Not Normalization: that layer asks for TensorFlow even where another engine reads the file.
    scaling = keras.layers.Conv2D(3, 1, trainable=False, name="scaling")
    values = scaling(inputs)
    scaling.set_weights([np.eye(3, dtype=np.float32)[None, None] / deviation, np.full(3, -mean / deviation)])
    for position, count in enumerate(filters, start=1):
        values = keras.layers.Conv2D(count, 3, activation="relu", kernel_initializer=first_weights)(values)
        name = "map" if position == len(filters) else None
        values = keras.layers.MaxPooling2D(name=name)(values)
    return keras.Model(inputs, values)
