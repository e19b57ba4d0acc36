r"""Builds the graph around a network: pixels in, map and features out.

The input is uint8, any size, NHWC. Resizing (bilinear, half-pixel centres, no antialiasing; nothing changes when the
scan already has the network's size), preprocessing and pooling are operations of the graph. For every network the
mean of the map over its positions is the feature vector; where a network normalises after pooling, the map is
normalised with the pooled vector's own statistics, which is linear in the map.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import openvino.opset13 as op

from tumorlens.backbones import Preprocessing
from tumorlens.errors import IntegrityError, StorageError
from tumorlens.workspace import storage_errors

__all__ = [
    "PooledNormalisation",
    "build_boundary_graph",
    "build_feature_graph",
    "named_result",
    "preprocess_pixels",
    "read_graph",
    "save_graph",
    "take_results",
    "write_graph",
]

_IDENTITY = Preprocessing("none", reverse_channels=False, scale=1.0, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@dataclass(frozen=True)
class PooledNormalisation:
    """A layer normalisation of the pooled features.

    Attributes:
        gamma: ``(c,)`` float32 factor.
        beta: ``(c,)`` float32 summand.
        epsilon: Added to the variance.
    """

    gamma: npt.NDArray[np.float32]
    beta: npt.NDArray[np.float32]
    epsilon: float


def build_feature_graph(
    body: ov.Model,
    *,
    size: int | tuple[int, int],
    preprocessing: Preprocessing | None,
    pooled_normalisation: PooledNormalisation | None = None,
) -> ov.Model:
    """Put pixels before ``body`` and pooling after it.

    Args:
        body: From ``(n, size, size, 3)`` float32 to a map ``(n, h, w, c)``; it is used up.
        size: Edge length, or height and width, that the body expects.
        preprocessing: What the network was trained to see; ``None``: 0..255 RGB as it is.
        pooled_normalisation: A normalisation after pooling, where the network has one.

    Returns:
        A graph with the input "pixels" and the outputs "map" and "features".
    """
    pixels = op.parameter(ov.PartialShape([-1, -1, -1, 3]), ov.Type.u8, name="pixels")
    pixels.output(0).set_names({"pixels"})
    body.inputs[0].get_node().output(0).replace(preprocess_pixels(pixels, size=size, preprocessing=preprocessing))
    (raw_map,) = take_results(body)
    pooled = _mean(raw_map, axes=(1, 2), keep=True)
    if pooled_normalisation is not None:
        raw_map, pooled = _normalise(raw_map, pooled, pooled_normalisation)
    features = op.squeeze(pooled, op.constant(np.array([1, 2], np.int64)))
    return ov.Model([named_result(raw_map, "map"), named_result(features, "features")], [pixels], "features")


def build_boundary_graph(lower: ov.Model, *, size: int, preprocessing: Preprocessing) -> ov.Model:
    """Put pixels before the lower part of a network, and flatten what it hands to the upper part.

    Args:
        lower: From ``(n, size, size, 3)`` float32 to one or more tensors; it is used up.
        size: Edge length that it expects.
        preprocessing: What the network was trained to see.

    Returns:
        A graph with the input "pixels", uint8 of any size, and the output "boundary", ``(n, w)`` float16: all tensors
        flattened, one after the other.
    """
    pixels = op.parameter(ov.PartialShape([-1, -1, -1, 3]), ov.Type.u8, name="pixels")
    pixels.output(0).set_names({"pixels"})
    lower.inputs[0].get_node().output(0).replace(preprocess_pixels(pixels, size=size, preprocessing=preprocessing))
    flat = [
        op.reshape(tensor, op.constant(np.array([0, -1], np.int64)), special_zero=True)
        for tensor in take_results(lower)
    ]
    joined = flat[0] if len(flat) == 1 else op.concat(flat, axis=1)
    largest = float(np.finfo(np.float16).max)
    half = op.convert(op.clamp(joined, -largest, largest), ov.Type.f16)
    return ov.Model([named_result(half, "boundary")], [pixels], "boundary")


def preprocess_pixels(pixels: Any, *, size: int | tuple[int, int], preprocessing: Preprocessing | None) -> ov.Output:
    """Operations from uint8 ``(n, h, w, 3)`` to the network's float32 ``(n, size, size, 3)``."""
    steps = preprocessing or _IDENTITY
    x = _resize(op.convert(pixels, ov.Type.f32), size)
    if steps.reverse_channels:
        x = op.gather(x, op.constant(np.array([2, 1, 0], np.int64)), op.constant(np.int64(3)))
    if (steps.gain, steps.offset) != (_IDENTITY.gain, _IDENTITY.offset):
        x = op.multiply(x, _row(steps.gain))
        x = op.add(x, _row(steps.offset))
    return x.output(0)


def save_graph(graph: ov.Model, path: Path) -> None:
    """Write ``graph`` in full float32 precision to ``path`` (.xml) and the .bin beside it.

    Raises:
        StorageError: It could not be written whole, as happens when the disk is full.
    """
    try:
        ov.save_model(graph, path, compress_to_fp16=False)
        ov.Core().read_model(path)  # OpenVINO may leave a short .bin without a word
    except RuntimeError as error:
        raise StorageError(
            f"{path} could not be written whole: check that the disk has space and run the command again."
        ) from error


def write_graph(graph: ov.Model, out: Path) -> None:
    """Write both files of a graph, the .xml last: whoever meets it meets its .bin.

    Args:
        graph: The graph.
        out: Where its .xml goes; folders are made.

    Raises:
        StorageError: ``out`` cannot be written.
    """
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-graph-") as parts:
            staged = Path(parts) / out.name
            save_graph(graph, staged)
            for suffix in (".bin", ".xml"):
                staged.with_suffix(suffix).replace(out.with_suffix(suffix))


def read_graph(path: Path) -> ov.Model:
    """Read a graph that a bundle holds.

    Raises:
        IntegrityError: It is missing or damaged.
    """
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise IntegrityError(f"The graph {path} cannot be read, it is missing or damaged: restore it.") from error


def take_results(graph: ov.Model) -> list[ov.Output]:
    """What ``graph`` gives, freed from its output nodes and their names."""
    results = graph.get_results()
    values = [result.input_value(0) for result in results]
    for result, value in zip(results, values, strict=True):
        graph.remove_result(result)
        value.set_names(set())
    return values


def named_result(value: Any, name: str) -> Any:
    """A graph output that is found by ``name``, and by no other."""
    output = value if isinstance(value, ov.Output) else value.output(0)
    output.set_names({name})
    result = op.result(output)
    result.set_friendly_name(name)
    return result


def _resize(x: Any, size: int | tuple[int, int]) -> Any:
    height, width = size if isinstance(size, tuple) else (size, size)
    x = op.transpose(x, op.constant(np.array([0, 3, 1, 2], np.int64)))
    x = op.interpolate(
        x,
        op.constant(np.array([height, width], np.int64)),
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="half_pixel",
        axes=op.constant(np.array([2, 3], np.int64)),
    )
    return op.transpose(x, op.constant(np.array([0, 2, 3, 1], np.int64)))


def _row(values: tuple[float, float, float]) -> Any:
    return op.constant(np.array(values, np.float32).reshape(1, 1, 1, 3))


def _mean(x: Any, *, axes: tuple[int, ...], keep: bool) -> Any:
    return op.reduce_mean(x, op.constant(np.array(axes, np.int64)), keep_dims=keep)


def _normalise(raw_map: Any, pooled: Any, layer: PooledNormalisation) -> tuple[Any, Any]:
    mean = _mean(pooled, axes=(3,), keep=True)
    centred = op.subtract(pooled, mean)
    variance = _mean(op.multiply(centred, centred), axes=(3,), keep=True)
    deviation = op.sqrt(op.add(variance, op.constant(np.float32(layer.epsilon))))
    gain = op.divide(op.constant(layer.gamma.reshape(1, 1, 1, -1)), deviation)
    shift = op.constant(layer.beta.reshape(1, 1, 1, -1))

    def apply(x: Any) -> Any:
        return op.add(op.multiply(op.subtract(x, mean), gain), shift)

    return apply(raw_map), apply(pooled)
