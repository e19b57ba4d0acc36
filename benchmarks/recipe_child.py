"""The original study's recipe in Keras with TensorFlow: the frozen network inside ``fit``, every epoch over all pixels.

Run by ``study_recipe.py`` in its own process. The network gets the study's own pixels, divided by 255 and nothing else;
its own preprocessing would cost the same.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image

_HEADS = {"VGG16": (128, 64)}


def load(folder: Path, table: Path, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels ``(n, 240, 240, 3)`` float32 in 0..1 and labels, in the order of the table."""
    with table.open() as file:
        rows = [(row["Image"], int(row["Class"])) for row in csv.DictReader(file)][:images]
    pixels = np.stack([np.asarray(Image.open(folder / f"{name}.jpg").convert("RGB")) for name, _ in rows])
    return pixels.astype(np.float32) / 255.0, np.array([label for _, label in rows])


def build(name: str, weights: Path) -> keras.Model:
    """Frozen network, flatten, the study's dense layers, softmax."""
    base = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(240, 240, 3))
    base.load_weights(weights)
    base.trainable = False
    layers = [
        keras.layers.Dense(width, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01))
        for width in _HEADS.get(name, (64,))
    ]
    model = keras.Sequential([base, keras.layers.Flatten(), *layers, keras.layers.Dense(2, activation="softmax")])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--images", type=int, required=True)
    arguments = parser.parse_args()
    pixels, labels = load(arguments.data / "images", arguments.data / "BrainTumor.csv", arguments.images)
    n_test = math.ceil(0.2 * len(pixels))  # as train_test_split counts
    n_validation = len(pixels) - n_test - math.floor(0.8 * (len(pixels) - n_test))  # as validation_split counts
    fit_part = slice(0, len(pixels) - n_test)
    model = build(arguments.network, arguments.weights)
    model.predict(pixels[:32], verbose=0)
    model.fit(
        pixels[:64],
        labels[:64],
        validation_data=(pixels[:32], labels[:32]),
        batch_size=32,
        verbose=0,
    )
    started = time.perf_counter()
    model.fit(pixels[fit_part], labels[fit_part], validation_split=0.2, epochs=1, batch_size=32, verbose=0)
    epoch = time.perf_counter() - started
    started = time.perf_counter()
    model.predict(pixels[-n_test:], batch_size=32, verbose=0)
    test = time.perf_counter() - started
    print(
        json.dumps(
            {
                "epoch_seconds": epoch,
                "test_seconds": test,
                "images": len(pixels),
                "fit_images": len(pixels) - n_test,
                "validation_images": n_validation,
                "test_images": n_test,
            }
        )
    )


if __name__ == "__main__":
    main()
