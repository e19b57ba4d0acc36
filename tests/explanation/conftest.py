"""A small graph made by hand, whose maps and answers are known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.runtime import DenseLayer, Head
from tumorlens.runtime.graphs import build_feature_graph, save_graph

SIZE, CHANNELS, CELLS = 12, 5, 9


@pytest.fixture(scope="session")
def feature_ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 4x4 convolution with stride 4 and ReLU: a map of 3x3x5 for scans of 12 pixels."""
    kernel = np.random.default_rng(1).normal(size=(CHANNELS, 3, 4, 4)).astype(np.float32)
    images = op.parameter([-1, SIZE, SIZE, 3], ov.Type.f32)
    x = op.transpose(images, op.constant(np.array([0, 3, 1, 2], np.int64)))
    x = op.relu(op.convolution(x, op.constant(kernel), [4, 4], [0, 0], [0, 0], [1, 1]))
    x = op.transpose(x, op.constant(np.array([0, 2, 3, 1], np.int64)))
    path = tmp_path_factory.mktemp("graph") / "graph.xml"
    save_graph(build_feature_graph(ov.Model([op.result(x)], [images], "body"), size=SIZE, preprocessing=TORCH), path)
    return path


@pytest.fixture(scope="session")
def make_head():
    """Makes a head with seeded weights from the widths of its layers."""

    def make(*widths: int, flat: bool = False) -> Head:
        rng = np.random.default_rng(sum(widths))
        steps = list(pairwise(widths))
        layers = tuple(
            DenseLayer(
                (rng.normal(size=(a, b)) / np.sqrt(a)).astype(np.float32),
                rng.normal(size=b).astype(np.float32),
                "relu" if i < len(steps) - 1 else "linear",
            )
            for i, (a, b) in enumerate(steps)
        )
        return Head("mlp" if len(steps) > 1 else "linear", "flat" if flat else "pooled", layers)

    return make


@pytest.fixture
def scans() -> list[np.ndarray]:
    """Coloured noise of several sizes."""
    rng = np.random.default_rng(3)
    shapes = ((SIZE, SIZE), (SIZE, SIZE), (24, 18), (30, 41))
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
