"""The check of a run's heatmaps, on a real small run."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.bundles import Predictor, read_card
from tumorlens.progress import SILENT
from tumorlens.runtime import Calibration, DenseLayer, Head, attach_head
from tumorlens.runtime.graphs import build_feature_graph, save_graph
from tumorlens.workflows.map_check import MOST_SCANS, check_run_maps, permute_over_groups


def test_the_bundle_carries_the_outcome_and_answers_say_it(tiny_study, tiny_comparison) -> None:
    bundle = tiny_comparison.best_run.bundle
    check = read_card(bundle).heatmap_check
    assert check is not None and 1 <= check["n_scans"] <= MOST_SCANS
    assert [each["share"] for each in check["randomised"]] == [0.25, 0.5, 0.75, 1.0]
    assert all(-1 <= each["correlation"] <= 1 for each in (*check["randomised"], check["permuted_head"]))
    judged = (check["randomised"][-1]["correlation"], check["permuted_head"]["correlation"])
    assert check["informative"] is (max(judged) <= 0.5)
    answer = Predictor(bundle).predict(next((tiny_study.folder / "images").iterdir()))
    assert answer.heatmap.informative is check["informative"]
    assert answer.heatmap.check == ("informative" if check["informative"] else "not informative")


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=12, max_size=60),
    st.integers(0, 2**16),
)
def test_permuted_labels_are_one_a_group(rows: list[tuple[int, int]], seed: int) -> None:
    labels = np.array([label for label, _ in rows])
    groups = np.array([f"g{group}" for _, group in rows])
    permuted = permute_over_groups(labels, groups, n_classes=3, seed=seed)
    if permuted is not None:
        by_group = {group: set(permuted[groups == group]) for group in groups}
        assert all(len(found) == 1 for found in by_group.values())
        counts = np.bincount([found.pop() for found in by_group.values()], minlength=3)
        assert counts.min() >= 2 and permuted.shape == labels.shape


def test_permuted_labels_of_pure_groups_keep_their_numbers() -> None:
    groups = np.repeat([f"g{i}" for i in range(20)], 3)
    labels = np.repeat([0] * 12 + [1] * 8, 3)
    permuted = permute_over_groups(labels, groups, n_classes=2)
    assert permuted is not None and np.bincount(permuted).tolist() == [36, 24]
    assert (permuted != labels).any()
    assert permute_over_groups(np.zeros(4, int), np.array(list("abcd")), n_classes=2) is None


def _context(tiny_study, *, calibration: int, validation: int, mistake: str | None = None) -> SimpleNamespace:
    parts = np.full(len(tiny_study.dataset), "train", "<U11")
    parts[:calibration] = "calibration"
    parts[calibration : calibration + validation] = "validation"
    split = SimpleNamespace(rows=lambda part: np.flatnonzero(parts == part))
    return SimpleNamespace(dataset=tiny_study.dataset, split=split, mistake=mistake, seed=0, threads=1, progress=SILENT)


@pytest.mark.parametrize(("calibration", "validation", "scans"), [(0, 9, 9), (40, 5, MOST_SCANS)], ids=["none", "many"])
def test_scans_are_of_the_calibration_part_else_of_validation(
    tiny_study, tiny_comparison, calibration: int, validation: int, scans: int
) -> None:
    graph = tiny_comparison.best_run.bundle / "model.xml"
    context = _context(tiny_study, calibration=calibration, validation=validation)
    check = check_run_maps(context, bundle_graph=graph, feature_graph=graph, permuted_head=None)
    assert check is not None and check["permuted_head"] is None
    rows = np.arange(calibration or validation)
    assert check["n_scans"] == scans and check["n_groups"] == len(np.unique(tiny_study.dataset.groups[rows]))


def test_without_scans_and_for_mistakes_there_is_no_check(tiny_study, tiny_comparison) -> None:
    graph = tiny_comparison.best_run.bundle / "model.xml"
    for context in (
        _context(tiny_study, calibration=0, validation=0),
        _context(tiny_study, calibration=9, validation=0, mistake="scaling"),
    ):
        assert check_run_maps(context, bundle_graph=graph, feature_graph=graph, permuted_head=None) is None


def test_maps_of_a_network_without_anything_learned_fail(tiny_study, tmp_path) -> None:
    images = op.parameter([-1, 64, 64, 3], ov.Type.f32)
    pooled = op.transpose(images, op.constant(np.array([0, 3, 1, 2], np.int64)))
    pooled = op.avg_pool(pooled, [8, 8], [0, 0], [0, 0], [8, 8], True)
    body = ov.Model([op.result(op.transpose(pooled, op.constant(np.array([0, 2, 3, 1], np.int64))))], [images], "body")
    save_graph(build_feature_graph(body, size=64, preprocessing=None), tmp_path / "features.xml")
    weight = np.array([[0, 1], [0, 1], [0, 1]], np.float32)
    head = Head("linear", "pooled", (DenseLayer(weight, np.zeros(2, np.float32), "linear"),))
    attach_head(tmp_path / "features.xml", head, calibration=Calibration(100.0), out=tmp_path / "model.xml")
    context = _context(tiny_study, calibration=8, validation=0)
    facts = {"bundle_graph": tmp_path / "model.xml", "feature_graph": tmp_path / "features.xml"}
    check = check_run_maps(context, permuted_head=head, **facts)
    assert check is not None and not check["informative"] and "not informative" in check["words"]
    for found in (check["randomised"][-1], check["permuted_head"]):
        assert found["correlation"] == pytest.approx(1.0)
