"""The graph that sees scaled pixels: the same arithmetic on other values, under a name of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.runtime import FeatureGraph, compile_graph
from tumorlens.runtime.scaled_graphs import scaled_graph


@pytest.fixture(scope="module")
def graphs(feature_ir, tmp_path_factory):
    """A right graph, and one that halves the pixels first."""
    right = FeatureGraph(
        path=feature_ir,
        backbone="small",
        size=12,
        width=5,
        map_shape=(3, 3, 5),
        weights_digest="w" * 64,
        graph_version=1,
        digest="d" * 64,
    )
    return right, scaled_graph(right, factor=0.5, cache=tmp_path_factory.mktemp("graphs"))


def _features(graph, pixels):
    return compile_graph(graph, goal="latency", outputs=["features"]).run(pixels)["features"]


def test_features_are_those_of_the_scaled_pixels(graphs) -> None:
    right, halved = graphs
    even = 2 * np.random.default_rng(0).integers(0, 128, (2, 40, 40, 3)).astype(np.uint8)
    wanted = _features(right, even // 2)
    assert _features(halved, even) == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    assert not np.allclose(_features(right, even), wanted, rtol=1e-2)


def test_it_is_never_taken_for_the_right_one(graphs, tmp_path) -> None:
    right, halved = graphs
    other = scaled_graph(right, factor=0.25, cache=tmp_path)
    assert len({right.digest, halved.digest, other.digest}) == 3
    assert len({right.path, halved.path, other.path}) == 3
    assert halved.weights_digest == right.weights_digest and halved.map_shape == right.map_shape


def test_it_is_made_once(graphs) -> None:
    right, halved = graphs
    before = halved.path.stat().st_mtime_ns
    again = scaled_graph(right, factor=0.5, cache=halved.path.parent.parent)
    assert again == halved and again.path.stat().st_mtime_ns == before
