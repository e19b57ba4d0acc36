"""A small network in 8-bit integers: what is quantised, what is not, and that it is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.errors import MissingExtraError
from tumorlens.runtime import DenseLayer, Head, attach_head, compile_graph, graph_cache
from tumorlens.runtime.children.quantise import nodes_outside_network
from tumorlens.runtime.graphs import build_feature_graph, save_graph
from tumorlens.runtime.quantised_graphs import LossControl, QuantisedGraph, quantised_graph
from tumorlens.runtime.randomised_graphs import randomised_graph
from tumorlens.runtime.side_by_side import compare_speed

SIZE, CHANNELS, LAYERS = 16, 16, 3
_SCANS = {f"scan {i}": np.random.default_rng(i).integers(0, 256, (20, 24, 3), np.uint8) for i in range(24)}


def _graph(path: Path, *, layers: int, size: int = SIZE) -> Path:
    rng = np.random.default_rng(0)
    images = op.parameter([-1, size, size, 3], ov.Type.f32)
    x, before = op.transpose(images, op.constant(np.array([0, 3, 1, 2], np.int64))), 3
    for _ in range(layers):
        kernel = rng.normal(size=(CHANNELS, before, 3, 3)).astype(np.float32) / np.float32(np.sqrt(9 * before))
        x, before = op.relu(op.convolution(x, op.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1])), CHANNELS
    x = op.transpose(x, op.constant(np.array([0, 2, 3, 1], np.int64)))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_graph(build_feature_graph(ov.Model([op.result(x)], [images], "b"), size=size, preprocessing=TORCH), path)
    return path


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _graph(tmp_path_factory.mktemp("full") / "graph.xml", layers=LAYERS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def _quantise(graph: Path, cache: Path, **options: object) -> QuantisedGraph:
    return quantised_graph(graph, calibration=list(_SCANS), read=_SCANS.get, cache=cache, title="A network", **options)


def _head(*, seed: int = 0) -> Head:
    weight = np.random.default_rng(seed).normal(size=(CHANNELS, 2)).astype(np.float32)
    return Head("linear", "pooled", (DenseLayer(weight, np.zeros(2, np.float32), "linear"),))


def test_only_the_network_is_left_to_quantise(graph) -> None:
    outside = nodes_outside_network(ov.Core().read_model(graph))
    model = ov.Core().read_model(graph)
    kinds = {node.get_friendly_name(): node.get_type_name() for node in model.get_ops()}
    assert {kinds[name] for name in outside} >= {"Convert", "Interpolate", "Multiply", "Add", "ReduceMean", "Squeeze"}
    assert "Convolution" not in {kinds[name] for name in outside}
    assert sum(kind == "Relu" for kind in kinds.values()) - sum(kinds[name] == "Relu" for name in outside) == LAYERS - 1


@pytest.mark.slow
def test_convolutions_compute_in_integers_and_answers_stay_close(graph, cache) -> None:
    found = _quantise(graph, cache)
    assert (found.layers, found.quantised_layers) == (LAYERS, LAYERS)
    scans = np.stack(list(_SCANS.values()))
    full, quantised = (compile_graph(path).run(scans) for path in (graph, found.path))
    assert 0 < np.abs(full["features"] - quantised["features"]).max() < 0.05 * np.abs(full["features"]).max()
    np.testing.assert_allclose(quantised["map"].mean(axis=(1, 2)), quantised["features"], atol=1e-5)
    model = ov.Core().read_model(found.path)
    assert str(model.input(0).partial_shape) == "[?,?,?,3]" and model.input(0).element_type == ov.Type.u8
    assert _precisions(graph) == {"f32"}
    assert _precisions(found.path) <= {"u8", "i8"}


def _precisions(path: Path) -> set[str]:
    """What the convolutions compute in on this machine, under the settings that answers are computed with."""
    compiled = compile_graph(path, scan_size=(20, 24))._compiled
    facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    return {each["runtimePrecision"].value for each in facts if each["layerType"].value == "Convolution"}


@pytest.mark.slow
def test_it_is_made_once_for_the_same_scans(graph, cache, monkeypatch) -> None:
    first = _quantise(graph, cache)
    monkeypatch.setattr(graph_cache, "run_job", None)
    assert _quantise(graph, cache) == first
    with pytest.raises(TypeError):
        quantised_graph(graph, calibration=["scan 0"], read=_SCANS.get, cache=cache, title="A network")


@pytest.mark.slow
def test_layers_go_back_where_the_loss_rises_too_much(graph, cache) -> None:
    unattainable = -1.0
    control = LossControl(_head(), list(_SCANS), np.zeros(len(_SCANS), np.int64), limit=unattainable)
    found = _quantise(graph, cache, control=control)
    assert found.layers == LAYERS and found.quantised_layers < LAYERS
    assert found.digest != _quantise(graph, cache).digest


@pytest.mark.slow
def test_a_quantised_model_can_be_randomised(graph, cache, tmp_path) -> None:
    attach_head(_quantise(graph, cache).path, _head(), out=tmp_path / "model.xml")
    scans = np.stack(list(_SCANS.values()))
    real = compile_graph(tmp_path / "model.xml").run(scans)["features"]
    shuffled = compile_graph(randomised_graph(tmp_path / "model.xml", share=1.0, seed=0)).run(scans)["features"]
    assert np.abs(real - shuffled).max() > 0.1 * np.abs(real).max()


def test_without_nncf_it_says_what_to_install(graph, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tumorlens.extras._MODULE_OF_EXTRA", {"int8": "no_such_module"})
    with pytest.raises(MissingExtraError, match=r'pip install "tumorlens\[int8\]"'):
        _quantise(graph, tmp_path)


@pytest.mark.slow
def test_the_faster_of_two_graphs_is_told(tmp_path) -> None:
    small = _graph(tmp_path / "small.xml", layers=1)
    large = _graph(tmp_path / "large.xml", layers=8, size=48)
    speed = compare_speed(large, small, list(_SCANS.values()))
    assert speed.ratio > 2 and speed.second > speed.first > 0
