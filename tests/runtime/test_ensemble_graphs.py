"""The joined graph against NumPy on its members' answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from tumorlens.errors import InputError, IntegrityError
from tumorlens.runtime import Calibration, DenseLayer, Head, attach_head, calibrate, compile_graph
from tumorlens.runtime.ensemble_graphs import GraphMember, ensemble_graph, write_ensemble_graph

WEIGHTS, TEMPERATURES = (0.5, 0.3, 0.2), (1.7, 0.6, 2.0)
SIDES = (3, 5, 3)  # cells of each member's map


def _head(*widths: int, flat: bool = False) -> Head:
    rng = np.random.default_rng(sum(widths))
    shapes = list(pairwise(widths))
    layers = [
        DenseLayer(
            (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32),
            rng.normal(size=shape[1]).astype(np.float32),
            "linear" if shape is shapes[-1] else "relu",
        )
        for shape in shapes
    ]
    return Head("mlp", "flat" if flat else "pooled", tuple(layers))


@pytest.fixture(scope="module")
def graphs(small_network: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Bundles' graphs of three members: pooled at 12 pixels, one with ReLUs at 20, on the whole map at 12."""
    folder = tmp_path_factory.mktemp("members")
    small, large = small_network(12), small_network(20)
    heads = ((small, _head(5, 3)), (large, _head(5, 6, 3)), (small, _head(45, 6, 4, 3, flat=True)))
    paths = []
    for place, (network, head) in enumerate(heads):
        paths.append(folder / str(place) / "model.xml")
        attach_head(network, head, calibration=Calibration(TEMPERATURES[place], (0.3, 0.0, -0.5)), out=paths[-1])
    return paths


@pytest.fixture(scope="module")
def members(graphs: list[Path]) -> list[GraphMember]:
    return [
        GraphMember(path, weight, temperature=temperature, map_adds_up=place == 2)
        for place, (path, weight, temperature) in enumerate(zip(graphs, WEIGHTS, TEMPERATURES, strict=True))
    ]


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (4, 30, 17, 3), dtype=np.uint8)


def test_probabilities_are_the_weighted_mean_calibrated(members, graphs, noise, tmp_path) -> None:
    own = [compile_graph(path).run(noise)["probabilities"].astype(float) for path in graphs]
    mean = sum(weight * each for weight, each in zip(WEIGHTS, own, strict=True))
    plain = compile_graph(ensemble_graph(members)).run(noise)
    np.testing.assert_allclose(plain["probabilities"], mean, atol=1e-6)
    calibration = Calibration(0.7, (0.0, 0.4, 0.0))
    write_ensemble_graph(members, calibration=calibration, out=tmp_path / "bundle" / "model.xml")
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == ["model.bin", "model.xml"]
    written = compile_graph(tmp_path / "bundle" / "model.xml").run(noise)
    np.testing.assert_allclose(written["probabilities"], calibrate(mean, calibration), atol=1e-6)
    for name in ("map", "features"):
        np.testing.assert_array_equal(written[name], plain[name])


def test_map_is_the_weighted_mean_of_evidence(members, graphs, noise) -> None:
    own = [compile_graph(path).run(noise)["map"].astype(float) for path in graphs]
    joined = compile_graph(ensemble_graph(members)).run(noise)["map"]
    assert joined.shape == (4, 5, 5, 3)
    means = [own[0].mean((1, 2)), own[1].mean((1, 2)), own[2].sum((1, 2))]
    shares = [weight / temperature for weight, temperature in zip(WEIGHTS, TEMPERATURES, strict=True)]
    expected = sum(share * mean for share, mean in zip(shares, means, strict=True))
    np.testing.assert_allclose(joined.mean((1, 2)), expected, atol=1e-5)


def test_a_coarse_map_is_laid_on_a_finer_grid_by_area(graphs, noise) -> None:
    coarse, fine = (compile_graph(path).run(noise)["map"] for path in graphs[:2])
    joined = compile_graph(ensemble_graph([GraphMember(path, 0.5) for path in graphs[:2]])).run(noise)["map"]
    laid = 2 * joined - fine
    np.testing.assert_allclose(laid[:, 0, 0], coarse[:, 0, 0], atol=1e-4)  # a fifth lies inside the first third
    np.testing.assert_allclose(laid[:, 2, 4], coarse[:, 1, 2], atol=1e-4)
    edge = (2 * coarse[:, 0, 0] + coarse[:, 1, 0]) / 3  # 1/5..2/5 of the side: two thirds in the first, a third beyond
    np.testing.assert_allclose(laid[:, 1, 0], edge, atol=1e-4)


def test_cosine_of_features_is_the_weighted_mean_of_cosines(members, graphs, noise) -> None:
    def cosines(features: np.ndarray) -> np.ndarray:
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        return unit @ unit.T

    own = [cosines(compile_graph(path).run(noise)["features"].astype(float)) for path in graphs]
    joined = compile_graph(ensemble_graph(members)).run(noise)["features"]
    assert joined.shape == (4, 15)
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1.0, atol=1e-6)
    expected = sum(weight * each for weight, each in zip(WEIGHTS, own, strict=True))
    np.testing.assert_allclose(cosines(joined.astype(float)), expected, atol=1e-6)


def test_a_network_under_two_heads_is_computed_once(members, graphs) -> None:
    def count(graph: ov.Model, kind: str) -> int:
        return sum(node.get_type_name() == kind for node in graph.get_ordered_ops())

    single = ov.Core().read_model(graphs[0])
    one_network = ensemble_graph([GraphMember(path, 0.5) for path in (graphs[0], graphs[2])])
    assert count(one_network, "Convolution") == count(single, "Convolution") == 1
    assert count(one_network, "Interpolate") == 1
    assert count(ensemble_graph(members), "Convolution") == 1 + 1  # another size is another computation
    assert len(one_network.get_parameters()) == 1


def test_changed_weights_are_not_taken_for_the_same(graphs, noise) -> None:
    changed = ov.Core().read_model(graphs[0])
    weight = next(
        node
        for node in changed.get_ordered_ops()
        if node.get_type_name() == "Constant" and node.get_output_shape(0) == ov.Shape([5, 3, 4, 4])
    )
    weight.output(0).replace(ov.opset13.constant(-np.array(weight.data)).output(0))
    both = ensemble_graph([GraphMember(graphs[0], 0.5), GraphMember(changed, 0.5)])
    features = compile_graph(both).run(noise)["features"]
    assert not np.allclose(features[:, :5], features[:, 5:])


def test_one_member_with_all_weight_is_that_member(graphs, noise) -> None:
    own, joined = (
        compile_graph(graph).run(noise) for graph in (graphs[1], ensemble_graph([GraphMember(graphs[1], 1)]))
    )
    for name in ("probabilities", "map"):
        np.testing.assert_allclose(joined[name], own[name], atol=1e-6)


@pytest.mark.parametrize("weights", [(), (0.5, 0.4), (1.0, 0.0), (1.5, -0.5)])
def test_refuses_weights_that_are_no_shares(graphs, weights) -> None:
    with pytest.raises(InputError, match="weights above 0 that sum to 1"):
        ensemble_graph([GraphMember(graphs[0], weight) for weight in weights])


def test_refuses_members_of_other_classes(graphs, feature_ir, tmp_path) -> None:
    attach_head(feature_ir, _head(5, 2), out=tmp_path / "two.xml")
    with pytest.raises(InputError, match="the same classes"):
        ensemble_graph([GraphMember(graphs[0], 0.5), GraphMember(tmp_path / "two.xml", 0.5)])


def test_names_a_graph_that_is_gone(tmp_path) -> None:
    with pytest.raises(IntegrityError, match=r"gone\.xml cannot be read"):
        ensemble_graph([GraphMember(tmp_path / "gone.xml", 1.0)])
