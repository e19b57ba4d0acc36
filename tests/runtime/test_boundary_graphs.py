"""Networks cut in two: lower then upper is the network, and the lower part's graph gives what the upper trains on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import BACKBONES, find_backbone, resolve_weights
from tumorlens.errors import InputError
from tumorlens.runtime import boundary_graph, compile_graph, feature_graph

_SOME = ("efficientnet-lite0", "vgg16", "resnet50", "nasnetmobile", "convnexttiny", "mobilenetv3small")


SCRIPT = Path(__file__).with_name("cut_many.py")
"""Prints the facts of every stage of networks."""


def check(facts: list[list], names: list[str]) -> None:
    """Every stage but what ends the network is there, exact, with less arithmetic above the higher it lies."""
    for name in names:
        own = [row for row in facts if row[0] == name]
        assert len(own) >= len(find_backbone(name).stages) - 2
        assert max(row[3] for row in own) < 1e-4, own
        shares = [row[4] for row in own]
        assert shares == sorted(shares, reverse=True) and 0.0 < shares[-1] < shares[0] < 1.0


@pytest.mark.slow
def test_lower_then_upper_is_the_network(run_with_tensorflow) -> None:
    facts = run_with_tensorflow(SCRIPT, _SOME)
    check(facts, list(_SOME))
    assert {row[2] for row in facts if row[0] == "resnet50"} == {1}  # stages end at residual joins
    assert 2 in {row[2] for row in facts if row[0] == "nasnetmobile"}  # cells look at the two before them


@pytest.mark.registry
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_lower_then_upper_is_every_network(run_with_tensorflow, name: str) -> None:
    check(run_with_tensorflow(SCRIPT, [name]), [name])


@pytest.mark.slow
def test_the_frozen_part_as_a_graph(tmp_path: Path) -> None:
    spec = find_backbone("efficientnet-lite0")
    weights = resolve_weights(spec)
    graph = boundary_graph(spec, weights, size=64, fine_tune="half", cache=tmp_path)
    assert (graph.stage, graph.layer, graph.shapes) == ("block6", "block5c_add", ((4, 4, 112),))
    assert graph.width == 4 * 4 * 112 and 0.3 < graph.trained_share < 0.5
    scan = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)
    network = compile_graph(graph.path)
    given = network.run(scan)["boundary"]
    assert given.shape == (1, graph.width) and given.dtype == np.float16
    other = network.run(255 - scan)["boundary"]
    assert np.isfinite(given).all() and np.abs(given.astype(float) - other.astype(float)).mean() > 0.1
    again = boundary_graph(spec, weights, size=64, fine_tune="block6", cache=tmp_path)
    assert again.digest == graph.digest and again.path != graph.path
    assert np.array_equal(compile_graph(again.path).run(scan)["boundary"], given)


def test_a_stage_that_there_is_not_is_named_with_those_there_are(tmp_path: Path) -> None:
    spec = find_backbone("vgg16")
    with pytest.raises(InputError, match=r"last, half, block2, block3, block4, block5 or full for VGG16, got '\.\./x'"):
        boundary_graph(spec, resolve_weights(spec, weights="random"), size=64, fine_tune="../x", cache=tmp_path)


@pytest.mark.slow
def test_stages_of_the_network_and_of_the_graph_agree(tmp_path: Path) -> None:
    spec = find_backbone("efficientnet-lite0")
    weights = resolve_weights(spec)
    assert feature_graph(spec, weights, size=64, cache=tmp_path).weights_digest == (
        boundary_graph(spec, weights, size=64, fine_tune="last", cache=tmp_path).weights_digest
    )
