"""A child process with TensorFlow: what Keras itself computes, for comparison with our graphs.

Usage: ``python keras_reference.py FOLDER SIZE LAYOUT BUILDER...`` with LAYOUT "weights" (Keras 3), "legacy" (Keras 2,
as published) or "model" (a whole ``.keras`` model). Each network is built exactly as ``weights="imagenet"`` builds it,
only that the weights are random (batch statistics too, so that nothing cancels) instead of downloaded. Leaves per
network ``BUILDER.<suffix>`` and ``BUILDER.npz`` with the pixels and the pooled features.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format
from keras.src.models import Functional
from keras.src.utils import file_utils

SUFFIX = {"weights": "weights.h5", "legacy": "h5", "model": "keras"}

_GAIN = {"EfficientNetV2": 1.0, "EfficientNetB": 1.4}  # with more, these turn rounding errors into other features


def build_like_imagenet(builder: str, size: int) -> keras.Model:
    keras.backend.clear_session()
    get_file, load_weights = file_utils.get_file, Functional.load_weights
    file_utils.get_file = lambda *args, **kwargs: None
    Functional.load_weights = lambda *args, **kwargs: None
    try:
        return getattr(keras.applications, builder)(
            include_top=False, weights="imagenet", pooling="avg", input_shape=(size, size, 3)
        )
    finally:
        file_utils.get_file, Functional.load_weights = get_file, load_weights


def randomise(model: keras.Model, seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype != "float32":
            continue
        shape, path = weight.shape, weight.path
        if path.startswith("normalization/"):  # EfficientNet: as in the published file, plus a little
            values = np.array([0.485, 0.456, 0.406]) if path.endswith("mean") else np.array([0.229, 0.224, 0.225])
            values = values * 1.1
        elif path.endswith(("gamma", "variance")):
            values = rng.uniform(0.5, 1.5, shape)
        elif len(shape) == 1:
            values = rng.normal(0, 0.1, shape)
        else:
            depthwise = "depthwise" in path or "dwconv" in path or "conv_dw" in path
            fan_in = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            values = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(gain / fan_in))
        weight.assign(np.asarray(values, np.float32).reshape(shape))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with a copy of its weights


def preprocess_input(builder: str, pixels: np.ndarray) -> np.ndarray:
    module = importlib.import_module(getattr(keras.applications, builder).__module__)
    return module.preprocess_input(pixels.astype(np.float32).copy())


def save(model: keras.Model, path: Path, layout: str) -> None:
    if layout == "weights":
        model.save_weights(path)
    elif layout == "model":
        model.save(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)


def main(folder: Path, size: int, layout: str, builders: list[str]) -> None:
    for builder in builders:
        model = build_like_imagenet(builder, size)
        gain = next((gain for start, gain in _GAIN.items() if builder.startswith(start)), 2.0)
        randomise(model, seed=len(builder), gain=gain)
        rng = np.random.default_rng(size)
        pixels = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
        pixels[1] = pixels[1] // np.array([1, 2, 4], np.uint8)  # coloured
        features = model(preprocess_input(builder, pixels), training=False)
        save(model, folder / f"{builder}.{SUFFIX[layout]}", layout)
        np.savez(folder / f"{builder}.npz", pixels=pixels, features=np.asarray(features))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
