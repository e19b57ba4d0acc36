"""``.keras`` files: read into a graph, and written for further training. Keras itself runs in a child process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.errors import InputError
from tumorlens.runtime.calibration import UNCALIBRATED, Calibration
from tumorlens.runtime.heads import Head, head_arrays
from tumorlens.runtime.jobs import run_job
from tumorlens.workspace import storage_errors

__all__ = ["build_keras_bundle_model", "build_keras_scratch_model", "convert_keras_file"]


def convert_keras_file(keras_path: Path, *, out: Path, output_layer: str) -> tuple[int, int, int]:
    """Turn the convolutional part of a ``.keras`` model into a graph.

    Args:
        keras_path: A model whose input is 0..255 float pixels ``(n, h, w, 3)`` of a fixed size, with its
            preprocessing inside.
        out: Where the graph goes (.xml; the .bin beside it). Input "pixels": uint8, any size, resized in the graph;
            outputs "map" ``(n, h, w, c)``, the values of ``output_layer``, and "features" ``(n, c)``, its mean over
            positions. A flat head takes the map flattened in the order (h, w, c).
        output_layer: The layer that ends the convolutional part.

    Returns:
        ``(h, w, c)`` of the map.

    Raises:
        InputError: The file is not such a model.
        TumorlensError: The conversion failed.
        StorageError: ``out`` cannot be written.
    """
    if out.suffix != ".xml":
        raise InputError(f"A graph's name must end in .xml, got {out.name}.")
    request = {"model": str(keras_path.resolve()), "output_layer": output_layer}
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-job-") as job:
            answer = run_job("convert_file", request, folder=Path(job), purpose=f"Converting {keras_path.name}")
            for suffix in (".bin", ".xml"):
                (Path(job) / "graph").with_suffix(suffix).replace(out.with_suffix(suffix))
    height, width, channels = answer["map_shape"]
    return height, width, channels


def build_keras_bundle_model(
    spec: BackboneSpec,
    weights: Weights,
    *,
    size: int,
    head: Head,
    calibration: Calibration = UNCALIBRATED,
    out: Path,
) -> None:
    """Write the ``.keras`` model of network and classifier, for further training.

    It consists of layers that come with Keras and loads anywhere without tumorlens: 0..255 float RGB pixels
    ``(n, size, size, 3)``, the preprocessing as a frozen 1x1 convolution, the backbone as the nested model "body",
    pooling or flattening, the dense layers, the calibration and softmax.

    Args:
        spec: The network.
        weights: Its weights.
        size: Edge length in pixels.
        head: The classifier.
        calibration: What is done to the logits before the softmax.
        out: Where the model goes (.keras).

    Raises:
        InputError: The weights file's tensors are not the network's.
        TumorlensError: Keras failed.
        StorageError: ``out`` cannot be written.
    """
    path = str(weights.path.resolve()) if weights.path else None
    _save({"backbone": spec.name, "size": size, "weights": path}, head, calibration, out)


def build_keras_scratch_model(
    keras_path: Path, *, output_layer: str, head: Head, calibration: Calibration = UNCALIBRATED, out: Path
) -> None:
    """Write the ``.keras`` model of another model's convolutional part and a classifier.

    Args:
        keras_path: The model whose layers up to ``output_layer`` are used.
        output_layer: The layer that ends the convolutional part.
        head: The classifier.
        calibration: What is done to the logits before the softmax.
        out: Where the model goes (.keras); may be ``keras_path``.

    Raises:
        InputError: The file is not such a model.
        TumorlensError: Keras failed.
        StorageError: ``out`` cannot be written.
    """
    _save({"model": str(keras_path.resolve()), "output_layer": output_layer}, head, calibration, out)


def _save(body: dict[str, Any], head: Head, calibration: Calibration, out: Path) -> None:
    if out.suffix != ".keras":
        raise InputError(f"A Keras model's name must end in .keras, got {out.name}.")
    request = {
        "body": body,
        "pooled": head.input == "pooled",
        "activations": [layer.activation for layer in head.layers],
        "temperature": calibration.temperature,
        "shift": calibration.shifts(head.classes).tolist(),
    }
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-job-") as job:
            np.savez(Path(job) / "head.npz", allow_pickle=False, **head_arrays(head))
            run_job("save_model", request, folder=Path(job), purpose="Writing the Keras model")
            (Path(job) / "model.keras").replace(out)
