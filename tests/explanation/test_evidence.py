"""The map of the log-odds: a contrast of maps whose mean is the model's own log-odds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.errors import InputError
from tumorlens.explanation import class_evidence
from tumorlens.runtime import Calibration, Head, attach_head, compile_graph, head_logits

SIZE, CHANNELS, CELLS = 12, 5, 9


def _effective_bias(head: Head, features: np.ndarray) -> np.ndarray:
    """``(n, k)``: the logits' part that stays when the features go, with the ReLUs open that these features open."""
    values, bias = features.astype(np.float64), np.zeros(features.shape)
    for layer in head.layers:
        values, bias = values @ layer.weight + layer.bias, bias @ layer.weight + layer.bias
        if layer.activation == "relu":
            values, bias = values * (values > 0), bias * (values > 0)
    return bias


def _against_the_others(values: np.ndarray, target: int) -> np.ndarray:
    return values[:, target] - np.delete(values, target, axis=1).mean(axis=1)


def test_two_classes_are_opposites() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    first, second = (class_evidence(maps, target=target) for target in (0, 1))
    np.testing.assert_allclose(second, maps[..., 1] - maps[..., 0], rtol=1e-6)
    np.testing.assert_array_equal(first, -second)


def test_more_classes_are_set_against_the_mean_of_the_others() -> None:
    maps = np.zeros((1, 1, 4), np.float32)
    maps[0, 0] = [5.0, 1.0, 2.0, 3.0]
    assert class_evidence(maps, target=0)[0, 0] == pytest.approx(3.0)
    total = sum(class_evidence(maps, target=target)[0, 0] for target in range(4))
    assert total == pytest.approx(0.0, abs=1e-6)


def test_what_all_classes_share_is_no_evidence() -> None:
    maps = np.random.default_rng(1).normal(size=(5, 5, 3)).astype(np.float32)
    shared = np.arange(25, dtype=np.float32).reshape(5, 5, 1)
    np.testing.assert_allclose(class_evidence(maps + shared, target=1), class_evidence(maps, target=1), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("flat", [False, True], ids=["pooled", "flat"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4)], ids=["linear", "one ReLU", "two ReLUs"])
def test_evidence_and_effective_bias_give_the_contrast_of_logits(
    feature_ir: Path, make_head, tmp_path: Path, hidden: tuple[int, ...], flat: bool, classes: int
) -> None:
    scans = np.random.default_rng(3).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    head = make_head(CHANNELS * (CELLS if flat else 1), *hidden, classes, flat=flat)
    attach_head(feature_ir, head, calibration=Calibration(1.7), out=tmp_path / "model.xml")
    before, after = (compile_graph(path).run(scans) for path in (feature_ir, tmp_path / "model.xml"))
    features = before["map"].reshape(len(scans), -1) if flat else before["features"]
    logits, bias = head_logits(head, features), _effective_bias(head, features)
    for target in range(classes):
        maps = np.array([class_evidence(each, target=target) for each in after["map"]], np.float64)
        collected = maps.sum(axis=(1, 2)) if flat else maps.mean(axis=(1, 2))
        ours = collected + _against_the_others(bias, target)
        np.testing.assert_allclose(ours, _against_the_others(logits, target), rtol=1e-4, atol=0)
    if classes == 2:  # before the temperature: the answer's own log-odds times it
        odds = np.log(after["probabilities"][:, 1] / after["probabilities"][:, 0], dtype=np.float64)
        np.testing.assert_allclose(1.7 * odds, _against_the_others(logits, 1), rtol=1e-4, atol=0)


def test_mean_is_the_log_odds_but_for_the_heads_own_constant(tiny_study, tiny_comparison) -> None:
    predictor = Predictor(tiny_comparison.best_run.bundle)
    (positive,) = {predictor.card.operating_point.positive_class}
    target = predictor.card.labels.index(positive)
    constants = []
    for file in sorted((tiny_study.folder / "images").iterdir())[:12]:
        answer = predictor.predict(file)
        odds = answer.probabilities[positive] / (1 - answer.probabilities[positive])
        constants.append(math.log(odds) - float(class_evidence(answer.class_maps, target=target).mean()))
    assert np.ptp(constants) < 1e-3
    assert np.isfinite(constants).all()


@pytest.mark.parametrize(("shape", "target"), [((3, 3), 0), ((3, 3, 1), 0), ((3, 3, 2), 2), ((3, 3, 2), -1)])
def test_other_maps_and_classes_are_refused(shape: tuple[int, ...], target: int) -> None:
    with pytest.raises(InputError, match="got"):
        class_evidence(np.zeros(shape, np.float32), target=target)
