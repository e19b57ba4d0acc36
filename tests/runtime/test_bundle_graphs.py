from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.runtime import Calibration, DenseLayer, Head, attach_head, compile_graph, head_logits

CLASSES = 3
SHAPES = {"linear": (), "one ReLU": (6,), "two ReLUs": (6, 4)}


def random_head(inputs: int, hidden: tuple[int, ...], *, flat: bool) -> Head:
    rng = np.random.default_rng(inputs + len(hidden))
    widths = (inputs, *hidden, CLASSES)
    layers = tuple(
        DenseLayer(
            (rng.normal(size=(a, b)) / np.sqrt(a)).astype(np.float32),
            rng.normal(size=b).astype(np.float32),
            "relu" if i < len(hidden) else "linear",
        )
        for i, (a, b) in enumerate(pairwise(widths))
    )
    return Head("mlp" if hidden else "linear", "flat" if flat else "pooled", layers)


def effective_bias(head: Head, features: np.ndarray) -> np.ndarray:
    """The logits' part that no position has: what the biases give through the ReLUs that are open."""
    values, bias = features.astype(float), np.zeros((len(features), features.shape[1]))
    for layer in head.layers:
        values, bias = values @ layer.weight + layer.bias, bias @ layer.weight + layer.bias
        if layer.activation == "relu":
            values, bias = values * (values > 0), bias * (values > 0)
    return bias


@pytest.mark.parametrize("flat", [False, True], ids=["pooled", "flat"])
@pytest.mark.parametrize("hidden", SHAPES.values(), ids=SHAPES.keys())
def test_probabilities_and_maps_are_exact(
    feature_ir: Path, scans: np.ndarray, tmp_path: Path, hidden: tuple[int, ...], flat: bool
) -> None:
    head = random_head(45 if flat else 5, hidden, flat=flat)
    attach_head(feature_ir, head, calibration=Calibration(1.7, (0.3, 0.0, -0.5)), out=tmp_path / "bundle" / "model.xml")
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == ["model.bin", "model.xml"]
    before = compile_graph(feature_ir).run(scans)
    after = compile_graph(tmp_path / "bundle" / "model.xml").run(scans)

    features = before["map"].reshape(4, -1) if flat else before["features"]
    logits = head_logits(head, features)
    scaled = np.exp(logits / 1.7 + [0.3, 0.0, -0.5])
    np.testing.assert_allclose(after["probabilities"], scaled / scaled.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(after["features"], before["features"])
    assert after["map"].shape == (4, 3, 3, CLASSES)
    collected = after["map"].sum((1, 2)) if flat else after["map"].mean((1, 2))
    np.testing.assert_allclose(collected + effective_bias(head, features), logits, rtol=1e-4, atol=1e-5)


def test_map_of_a_relu_head_is_activation_times_gradient(feature_ir: Path, scans: np.ndarray, tmp_path: Path) -> None:
    head = random_head(45, (6, 4), flat=True)
    attach_head(feature_ir, head, out=tmp_path / "model.xml")
    values = compile_graph(feature_ir).run(scans[0])["map"].astype(float)
    ours = compile_graph(tmp_path / "model.xml").run(scans[0])["map"]
    step = 1e-4
    for k in range(CLASSES):
        gradient = np.zeros(45)
        for i in range(45):
            move = np.zeros(45)
            move[i] = step
            up, down = (head_logits(head, (values.ravel() + sign * move)[None])[0, k] for sign in (1, -1))
            gradient[i] = (up - down) / (2 * step)
        expected = (values[0] * gradient.reshape(3, 3, 5)).sum(-1)
        np.testing.assert_allclose(ours[0, ..., k], expected, atol=1e-4)


def test_scans_of_any_size_and_one_at_a_time(feature_ir: Path, tmp_path: Path) -> None:
    attach_head(feature_ir, random_head(5, (6,), flat=False), out=tmp_path / "model.xml")
    outputs = compile_graph(tmp_path / "model.xml", goal="latency").run(np.zeros((1, 200, 30, 3), np.uint8))
    assert {name: value.shape for name, value in outputs.items()} == {
        "probabilities": (1, 3),
        "map": (1, 3, 3, 3),
        "features": (1, 5),
    }


def test_refuses_a_calibration_of_other_classes(feature_ir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="each of 3 classes, got 2"):
        attach_head(
            feature_ir, random_head(5, (), flat=False), calibration=Calibration(1.0, (0.1, 0.2)), out=tmp_path / "m.xml"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("inputs", "flat"), [(6, False), (5, True), (45, False)])
def test_refuses_a_head_of_another_network(feature_ir: Path, tmp_path: Path, inputs: int, flat: bool) -> None:
    with pytest.raises(InputError, match="must take"):
        attach_head(feature_ir, random_head(inputs, (), flat=flat), out=tmp_path / "m.xml")
    assert list(tmp_path.iterdir()) == []
