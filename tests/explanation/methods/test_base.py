"""The flow that all methods share, the graph's own map, and the names."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.explanation import class_evidence
from tumorlens.explanation.methods import METHODS, Cam, ModelFiles, find_method
from tumorlens.runtime import attach_head, compile_graph


@pytest.fixture
def model(feature_ir, make_head, tmp_path) -> ModelFiles:
    attach_head(feature_ir, make_head(5, 3), out=tmp_path / "model.xml")
    return ModelFiles(tmp_path / "model.xml")


def test_cam_is_the_graphs_own_map_of_each_target(model, scans) -> None:
    targets = [0, 2, 1, 1]
    graph = compile_graph(model.graph)
    expected = [class_evidence(graph.run(scan)["map"][0], target=t) for scan, t in zip(scans, targets, strict=True)]
    found = Cam(model).evidence(scans, targets=targets)
    np.testing.assert_array_equal(found, expected)
    assert all(each.shape == (3, 3) and each.dtype == np.float32 for each in found)


def test_no_scans_give_no_maps(model) -> None:
    for method in METHODS.values():
        assert method(model).evidence([], targets=[]) == []


@pytest.mark.parametrize(
    ("scan", "targets", "words"),
    [
        (np.zeros((8, 8, 3), np.float32), [0], "uint8"),
        (np.zeros((8, 8), np.uint8), [0], "uint8"),
        (np.zeros((8, 8, 3), np.uint8), [], "one class for each scan"),
        (np.zeros((8, 8, 3), np.uint8), [3], "index in 0..2"),
    ],
)
def test_what_is_no_scan_or_class_is_refused(model, scan, targets, words) -> None:
    with pytest.raises(InputError, match=words):
        Cam(model).evidence([scan], targets=targets)


def test_methods_are_found_by_name() -> None:
    assert list(METHODS) == ["cam", "gradcam", "occlusion"]
    assert all(find_method(name).name == name and find_method(name).title for name in METHODS)
    with pytest.raises(InputError, match="cam, gradcam, occlusion, got 'lime'"):
        find_method("lime")
