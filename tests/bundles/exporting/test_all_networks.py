"""Networks of the registry, translated from their own graphs: slow, one a family; all of them under ``registry``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import BACKBONES, BackboneSpec, resolve_weights
from tumorlens.extras import has_extra
from tumorlens.runtime import compile_graph, feature_graph
from tumorlens.runtime.operations import read_operations

SMALLEST = {
    family: min((spec for spec in BACKBONES.values() if spec.family == family), key=lambda spec: spec.parameters)
    for family in {spec.family: None for spec in BACKBONES.values()}
}
NEEDS_ONNX = pytest.mark.skipif(not has_extra("export"), reason="ONNX is written by the extra 'export'")
NEEDS_TENSORFLOW = pytest.mark.skipif(not has_extra("train"), reason="TensorFlow Lite is written by the extra 'train'")


def to_onnx(graph: Path, pixels: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    from tumorlens.bundles.exporting.onnx_graph import onnx_model

    model = onnx_model(read_operations(graph), metadata={}, doc="features")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip(("map", "features"), session.run(["map", "features"], {"pixels": pixels}), strict=True))


def to_tflite(graph: Path, pixels: np.ndarray) -> dict[str, np.ndarray]:
    from tumorlens.bundles.exporting.tensorflow_jobs import run_tflite, write_tflite

    model = graph.with_suffix(".tflite")
    write_tflite(graph, model, threads=1)
    (answers,) = run_tflite(model, [pixels], threads=1)
    return answers


WAYS = pytest.mark.parametrize(
    "translate", [pytest.param(to_onnx, marks=NEEDS_ONNX), pytest.param(to_tflite, marks=NEEDS_TENSORFLOW)]
)


@pytest.mark.slow
@NEEDS_ONNX
@pytest.mark.parametrize("family", SMALLEST)
def test_smallest_network_of_each_family(family: str, tmp_path: Path) -> None:
    """To TensorFlow Lite, which takes longest, in the registry's own run."""
    check(SMALLEST[family], to_onnx, tmp_path)


@pytest.mark.slow
@pytest.mark.registry
@WAYS
@pytest.mark.parametrize("name", BACKBONES)
def test_every_network(name: str, translate, tmp_path: Path) -> None:
    check(BACKBONES[name], translate, tmp_path)


def check(spec: BackboneSpec, translate, folder: Path) -> None:
    """The same map and features to 1e-4 of their magnitude, from scans of another size than the network's."""
    size = spec.minimum_size
    graph = feature_graph(spec, resolve_weights(spec, weights="random"), size=size, cache=folder)
    pixels = np.random.default_rng(0).integers(0, 256, (2, size + 8, size + 19, 3), dtype=np.uint8)
    wanted = compile_graph(graph, goal="latency", threads=1).run(pixels)
    found = translate(graph.path, pixels)
    for name, values in wanted.items():
        assert found[name].shape == values.shape
        largest, error = float(np.abs(values).max()), float(np.abs(found[name] - values).max())
        assert error < 1e-4 * largest
        assert error < 1e-2 * float(np.abs(values[0] - values[1]).max())  # the values do depend on the pixels
