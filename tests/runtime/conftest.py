"""Small graphs made by hand, so that most tests need no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.runtime.graphs import build_feature_graph, save_graph

SIZE, CHANNELS = 12, 5


def small_body(size: int = SIZE) -> ov.Model:
    """A 4x4 convolution with stride 4 and ReLU: a map of 3x3x5 for 12 pixels, NHWC."""
    kernel = np.random.default_rng(1).normal(size=(CHANNELS, 3, 4, 4)).astype(np.float32)
    images = op.parameter([-1, size, size, 3], ov.Type.f32)
    x = op.transpose(images, op.constant(np.array([0, 3, 1, 2], np.int64)))
    x = op.relu(op.convolution(x, op.constant(kernel), [4, 4], [0, 0], [0, 0], [1, 1]))
    x = op.transpose(x, op.constant(np.array([0, 2, 3, 1], np.int64)))
    return ov.Model([op.result(x)], [images], "body")


@pytest.fixture(scope="session")
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Makes a feature graph on disk, for scans of some size."""

    def make(size: int) -> Path:
        path = tmp_path_factory.mktemp("graph") / "graph.xml"
        save_graph(build_feature_graph(small_body(size), size=size, preprocessing=TORCH), path)
        return path

    return make


@pytest.fixture(scope="session")
def feature_ir(small_network: Callable[[int], Path]) -> Path:
    """A feature graph on disk, for scans of 12 pixels."""
    return small_network(SIZE)


@pytest.fixture
def scans() -> np.ndarray:
    """Coloured noise ``(4, 12, 12, 3)`` uint8."""
    return np.random.default_rng(3).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
