"""Child's side of the CNN from scratch: builds it in Keras and trains it on streamed scans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tumorlens.training.child import Say
from tumorlens.training.head_files import save_layers
from tumorlens.training.keras_loop import Part, train
from tumorlens.training.readers import PixelReader
from tumorlens.training.study_task import add_dense_layers, compile_classifier
from tumorlens.workspace import atomic_path

__all__ = ["build_body", "run"]


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Train the network of ``job``; write ``head.npz`` and, where the job says, the body."""
    folder = Path(job["folder"])
    scans = PixelReader(job["source"])
    size: int = job["size"]
    body = build_body(size, filters=job["filters"])
    flat = keras.layers.Flatten()(body.output)
    outputs = add_dense_layers(flat, hidden=job["hidden"], n_classes=job["n_classes"], l2=job["l2"])
    model = keras.Model(body.input, outputs)
    compile_classifier(model, learning_rate=job["learning_rate"])
    with np.load(folder / "rows.npz", allow_pickle=False) as rows:
        parts = [
            Part(lambda r: scans.read(r, size=size), rows[f"{p}_rows"], rows[f"{p}_labels"]) for p in ("train", "val")
        ]
    history = train(
        model,
        *parts,
        epochs=job["epochs"],
        batch_size=job["batch_size"],
        seed=job["seed"],
        patience=job["patience"],
        say=say,
    )
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    save_layers(folder / "head.npz", [tuple(layer.get_weights()) for layer in dense])
    with atomic_path(Path(job["body"])) as temporary:
        body.save(temporary)
    return {"history": history, "penalty": float(sum(float(term) for term in model.losses))}


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
