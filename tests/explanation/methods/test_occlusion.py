"""Occlusion against a model whose answer depends on one place alone."""

from __future__ import annotations

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.errors import InputError
from tumorlens.explanation.methods import ModelFiles, Occlusion
from tumorlens.runtime import Calibration, DenseLayer, Head, attach_head, compile_graph
from tumorlens.runtime.graphs import build_feature_graph, save_graph

SIZE = 16


@pytest.fixture
def brightness(tmp_path) -> ModelFiles:
    """The log-odds of class 1 are the mean brightness / 32."""
    images = op.parameter([-1, SIZE, SIZE, 3], ov.Type.f32)
    body = ov.Model([op.result(op.multiply(images, op.constant(np.float32(1.0))))], [images], "body")
    save_graph(build_feature_graph(body, size=SIZE, preprocessing=None), tmp_path / "features.xml")
    weight = np.stack([np.zeros(3), np.full(3, 1 / 96)], axis=1).astype(np.float32)
    head = Head("linear", "pooled", (DenseLayer(weight, np.zeros(2, np.float32), "linear"),))
    attach_head(tmp_path / "features.xml", head, out=tmp_path / "model.xml")
    return ModelFiles(tmp_path / "model.xml")


def test_drop_of_the_log_odds_by_hand(brightness) -> None:
    scan = np.zeros((SIZE, SIZE, 3), np.uint8)
    scan[:4, 12:] = 255  # one cell of four by four, in the upper right corner
    (found,) = Occlusion(brightness, patch=0.25, stride=0.25).evidence([scan], targets=[1])
    mean = np.rint(255 / 16)
    expected = np.full((4, 4), -mean / 16 / 32)  # black turned grey speaks for the class, so the cell spoke against it
    expected[0, 3] = (255 - mean) / 16 / 32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    (other,) = Occlusion(brightness, patch=0.25, stride=0.25).evidence([scan], targets=[0])
    np.testing.assert_allclose(other, -expected, atol=1e-5)


def test_patch_is_centred_on_its_cell_and_cut_at_the_border(brightness) -> None:
    scan = np.zeros((SIZE, SIZE, 3), np.uint8)
    scan[7:9, 7:9] = 255
    (found,) = Occlusion(brightness).evidence([scan], targets=[1])
    assert found.shape == (8, 8)
    assert {(int(i), int(j)) for i, j in np.argwhere(found > 0)} == {(i, j) for i in (3, 4) for j in (3, 4)}
    np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-5)


def test_answers_that_are_certain_still_have_finite_evidence(feature_ir, make_head, tmp_path, scans) -> None:
    attach_head(feature_ir, make_head(5, 2), calibration=Calibration(1e-3), out=tmp_path / "model.xml")
    model = ModelFiles(tmp_path / "model.xml")
    assert compile_graph(model.graph).run(scans[0])["probabilities"].min() < 1e-30
    assert all(np.isfinite(each).all() for each in Occlusion(model).evidence(scans, targets=[0] * 4))


@pytest.mark.parametrize(("patch", "stride"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1.5)])
def test_impossible_patches_are_refused(brightness, patch: float, stride: float) -> None:
    with pytest.raises(InputError, match=r"0\.\.1"):
        Occlusion(brightness, patch=patch, stride=stride)
