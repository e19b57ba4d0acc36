"""Child's side of the study's heads: builds them in Keras and trains them on streamed features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tumorlens.training.child import Say
from tumorlens.training.head_files import save_layers
from tumorlens.training.keras_loop import COMPILE_METRICS, Part, train
from tumorlens.training.readers import FlatReader

__all__ = ["build_study_head", "run"]


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Train the head of ``job``; write ``head.npz`` beside the job's arrays."""
    folder = Path(job["folder"])
    features = FlatReader(job["source"])
    model = build_study_head(features.n_features, hidden=job["hidden"], n_classes=job["n_classes"], l2=job["l2"])
    _compile(model, learning_rate=job["learning_rate"])
    with np.load(folder / "rows.npz", allow_pickle=False) as rows:
        parts = [Part(features.read, rows[f"{p}_rows"], rows[f"{p}_labels"]) for p in ("train", "val")]
    history = train(
        model,
        *parts,
        epochs=job["epochs"],
        batch_size=job["batch_size"],
        seed=job["seed"],
        say=say,
    )
    save_layers(folder / "head.npz", [tuple(layer.get_weights()) for layer in model.layers if layer.weights])
    return {"history": history, "penalty": float(sum(float(term) for term in model.losses))}


def build_study_head(n_features: int, *, hidden: Sequence[int], n_classes: int, l2: float) -> Any:
    """Flattened features → dense ReLU layers with an L2 term on their weights, not on biases → softmax."""
    inputs = keras.Input((n_features,), name="features")
    values = inputs
    for units in hidden:
        values = keras.layers.Dense(units, activation="relu", kernel_regularizer=keras.regularizers.L2(l2))(values)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax", name="probabilities")(values))


def _compile(model: Any, *, learning_rate: float) -> None:
    """Adam on the cross-entropy of class indices, plus the model's L2 terms."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=list(COMPILE_METRICS.values()),
        jit_compile=False,
    )
