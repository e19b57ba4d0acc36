"""Weights shuffled from the head's side, the head itself left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.errors import InputError
from tumorlens.runtime import DenseLayer, Head, attach_head, compile_graph
from tumorlens.runtime.graphs import build_feature_graph, save_graph
from tumorlens.runtime.randomised_graphs import randomised_graph

SIZE = 12


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four layers with weights (a convolution, one by channel, two products) and a linear head."""
    rng = np.random.default_rng(0)
    images = op.parameter([-1, SIZE, SIZE, 3], ov.Type.f32)
    x = op.transpose(images, op.constant(np.array([0, 3, 1, 2], np.int64)))
    kernel = op.transpose(op.constant(rng.normal(size=(4, 4, 3, 6)).astype(np.float32)), op.constant([3, 2, 0, 1]))
    x = op.relu(op.convolution(x, kernel, [4, 4], [0, 0], [0, 0], [1, 1]))
    by_channel = op.constant(rng.normal(size=(6, 1, 1, 1, 1)).astype(np.float32))
    x = op.group_convolution(x, by_channel, [1, 1], [0, 0], [0, 0], [1, 1])
    x = op.transpose(x, op.constant(np.array([0, 2, 3, 1], np.int64)))
    for _ in range(2):
        x = op.relu(op.matmul(x, op.constant(rng.normal(size=(6, 6)).astype(np.float32)), False, False))
    folder = tmp_path_factory.mktemp("bundle")
    body = ov.Model([op.result(x)], [images], "body")
    save_graph(build_feature_graph(body, size=SIZE, preprocessing=TORCH), folder / "features.xml")
    layer = DenseLayer(rng.normal(size=(6, 2)).astype(np.float32), np.zeros(2, np.float32), "linear")
    attach_head(folder / "features.xml", Head("linear", "pooled", (layer,)), out=folder / "model.xml")
    return folder / "model.xml"


def _weights(model: ov.Model) -> list[np.ndarray]:
    """Values of the four layers and the head, in the order of computation."""
    constants = [node for node in model.get_ordered_ops() if node.get_type_name() == "Constant"]
    return [np.array(node.data) for node in constants if node.data.size in (288, 6, 36, 12)]


@pytest.mark.parametrize(("share", "changed"), [(0.25, {3}), (0.5, {2, 3}), (0.75, {1, 2, 3}), (1.0, {0, 1, 2, 3})])
def test_last_layers_are_shuffled_and_the_head_stays(bundle: Path, share: float, changed: set[int]) -> None:
    before = sorted(_weights(ov.Core().read_model(bundle)), key=lambda v: v.sum())
    after = sorted(_weights(randomised_graph(bundle, share=share, seed=1)), key=lambda v: v.sum())
    assert [v.shape for v in before] == [v.shape for v in after] and len(before) == 5
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(np.sort(one.ravel()), np.sort(other.ravel()))
    assert sum(not np.array_equal(one, other) for one, other in zip(before, after, strict=True)) == len(changed)
    heads = [v for v in after if v.size == 12]
    np.testing.assert_array_equal(heads, [v for v in before if v.size == 12])


def test_smaller_shares_are_part_of_larger_ones(bundle: Path) -> None:
    last, all_but_first = (
        {v.tobytes() for v in _weights(randomised_graph(bundle, share=share, seed=1))} for share in (0.25, 0.75)
    )
    assert len(last & all_but_first) == 3  # the first layer, the head, and the last layer shuffled alike


def test_same_seed_same_maps_and_the_file_stays(bundle: Path) -> None:
    scans = np.random.default_rng(5).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    stored = bundle.with_suffix(".bin").read_bytes()
    maps = [compile_graph(randomised_graph(bundle, share=1, seed=seed)).run(scans)["map"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert np.abs(maps[0] - maps[2]).max() > 1e-3
    assert bundle.with_suffix(".bin").read_bytes() == stored


@pytest.mark.parametrize("share", [0.0, 1.1, -1.0, float("nan")])
def test_impossible_shares_are_refused(bundle: Path, share: float) -> None:
    with pytest.raises(InputError, match="share of layers"):
        randomised_graph(bundle, share=share, seed=0)
