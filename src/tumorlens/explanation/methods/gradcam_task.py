"""Child's side of Grad-CAM: loads the ``.keras`` model and differentiates its logits. Imports Keras and TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tumorlens.errors import InputError
from tumorlens.training.child import Say
from tumorlens.training.resize import resize_bilinear

__all__ = ["channel_maps", "run"]

_COLLECTING, _LAST = ("pooling", "flat"), "calibration"


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Write ``maps.npy``, ``(n, h, w, k)`` float32, beside the scans."""
    folder = Path(job["folder"])
    model = _load(Path(job["model"]))
    size = int(model.inputs[0].shape[1])
    parts = []
    with np.load(folder / "scans.npz", allow_pickle=False) as scans:
        for start in range(0, job["scans"], job["batch_size"]):
            places = range(start, min(start + job["batch_size"], job["scans"]))
            batch = np.stack([resize_bilinear(scans[f"scan{place}"], size=size) for place in places])
            parts.append(channel_maps(model, batch))
            say({"event": "steps", "steps": 1, "note": None})
    np.save(folder / "maps.npy", np.concatenate(parts), allow_pickle=False)
    return {}


def channel_maps(model: Any, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Grad-CAM of each logit, without the ReLU.

    Args:
        model: From pixels to the last map ``(n, h, w, c)`` and the logits ``(n, k)``.
        batch: ``(n, size, size, 3)`` float32 pixels in 0..255.

    Returns:
        ``(n, h, w, k)`` float32.
    """
    with tf.GradientTape(persistent=True) as tape:
        values, logits = model(tf.convert_to_tensor(batch), training=False)
        each = [logits[:, place] for place in range(logits.shape[1])]
    maps = []
    for logit in each:
        weights = tf.reduce_mean(tape.gradient(logit, values), axis=(1, 2), keepdims=True)
        maps.append(tf.reduce_sum(weights * values, axis=3))
    return np.asarray(tf.stack(maps, axis=3).numpy(), np.float32)


def _load(path: Path) -> Any:
    """The model from pixels to its last map and its logits."""
    whole = keras.saving.load_model(path, compile=False, safe_mode=True)
    layers = {layer.name: layer for layer in whole.layers}
    collecting = next((layers[name] for name in _COLLECTING if name in layers), None)
    if collecting is None or _LAST not in layers:
        raise InputError(f"{path} must be a .keras model that tumorlens wrote: give the bundle of a run.")
    return keras.Model(whole.inputs, [collecting.input, layers[_LAST].input])
