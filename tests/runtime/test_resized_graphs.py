"""The same weights on a larger input: a finer map, and still the graph's own logits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.errors import InputError, IntegrityError
from tumorlens.runtime import DenseLayer, Head, attach_head, compile_graph, head_logits
from tumorlens.runtime.graphs import build_feature_graph, save_graph
from tumorlens.runtime.resized_graphs import resized_graph

SIZE, CHANNELS = 12, 5


def _head(*widths: int, flat: bool = False) -> Head:
    rng = np.random.default_rng(sum(widths))
    layers = tuple(
        DenseLayer(
            rng.normal(size=(a, b)).astype(np.float32),
            rng.normal(size=b).astype(np.float32),
            "linear" if b == widths[-1] else "relu",
        )
        for a, b in pairwise(widths)
    )
    return Head("mlp" if len(layers) > 1 else "linear", "flat" if flat else "pooled", layers)


def _effective_bias(head: Head, features: np.ndarray) -> np.ndarray:
    """What the biases give through the ReLUs that are open."""
    values, bias = features.astype(float), np.zeros(features.shape)
    for layer in head.layers:
        values, bias = values @ layer.weight + layer.bias, bias @ layer.weight + layer.bias
        if layer.activation == "relu":
            values, bias = values * (values > 0), bias * (values > 0)
    return bias


@pytest.mark.parametrize("widths", [(5, 3), (5, 6, 2), (5, 6, 4, 3)], ids=["linear", "one ReLU", "two ReLUs"])
def test_finer_map_and_bias_are_the_resized_graphs_logits(
    feature_ir: Path, scans: np.ndarray, tmp_path: Path, widths: tuple[int, ...]
) -> None:
    head = _head(*widths)
    attach_head(feature_ir, head, out=tmp_path / "model.xml")
    stored = (tmp_path / "model.xml").read_bytes()
    same, double = (compile_graph(resized_graph(tmp_path / "model.xml", size=s)).run(scans) for s in (SIZE, 2 * SIZE))
    before = compile_graph(tmp_path / "model.xml").run(scans)
    for name in before:
        np.testing.assert_allclose(same[name], before[name], atol=1e-5)
    assert before["map"].shape[1:3] == (3, 3) and double["map"].shape[1:3] == (6, 6)
    logits = head_logits(head, double["features"])
    bias = _effective_bias(head, double["features"])
    np.testing.assert_allclose(double["map"].mean((1, 2)) + bias, logits, rtol=1e-4, atol=1e-4)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(double["probabilities"], odds / odds.sum(1, keepdims=True), atol=1e-5)
    assert np.abs(double["probabilities"] - before["probabilities"]).max() > 1e-3
    assert (tmp_path / "model.xml").read_bytes() == stored


def test_head_on_the_whole_map_is_refused(feature_ir: Path, tmp_path: Path) -> None:
    attach_head(feature_ir, _head(45, 3, flat=True), out=tmp_path / "model.xml")
    with pytest.raises(InputError, match="head on pooled features"):
        resized_graph(tmp_path / "model.xml", size=24)


@pytest.mark.parametrize("fixes", ["slice", "reshape"])
def test_network_that_holds_its_size_is_refused(tmp_path: Path, fixes: str) -> None:
    images = op.parameter([-1, SIZE, SIZE, 3], ov.Type.f32)
    x = op.relu(images)
    if fixes == "slice":
        ends = [op.constant(np.array(v, np.int64)) for v in ([0, 0], [SIZE, SIZE], [1, 1], [1, 2])]
        x = op.slice(x, *ends)
    else:
        rows = op.reshape(x, op.constant(np.array([0, SIZE * SIZE, 3], np.int64)), special_zero=True)
        x = op.reshape(rows, op.constant(np.array([0, SIZE, SIZE, 3], np.int64)), special_zero=True)
    body = ov.Model([op.result(x)], [images], "body")
    save_graph(build_feature_graph(body, size=SIZE, preprocessing=TORCH), tmp_path / "features.xml")
    attach_head(tmp_path / "features.xml", _head(3, 2), out=tmp_path / "model.xml")
    with pytest.raises(InputError, match="12 pixels only"):
        resized_graph(tmp_path / "model.xml", size=48)


def test_missing_graph_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing or damaged"):
        resized_graph(tmp_path / "model.xml", size=24)
