"""Answers over several views: their mean, what stays that of the scan as it is, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorlens.bundles import (
    UNDECIDED,
    UNLIKE,
    ConformalRule,
    OperatingPoint,
    Predictor,
    ViewCost,
    fixed_views,
    predict_files,
    total_cost,
)
from tumorlens.cli.main import main
from tumorlens.errors import InputError
from tumorlens.scans import Scan, ScanView, apply_view


@pytest.fixture(scope="module")
def predictor(tiny_comparison) -> Predictor:
    return Predictor(tiny_comparison.best_run.bundle)


@pytest.fixture(scope="module")
def pixels(tiny_study) -> list[np.ndarray]:
    """A few scans, none of them symmetric."""
    digests = tiny_study.dataset.digests[::9]
    with tiny_study.dataset.open_pixels() as store:
        return [store.get(str(digest)) for digest in digests]


def values(answer) -> np.ndarray:
    return np.array(list(answer.probabilities.values()))


def test_each_pose_stands_beside_its_mirror_image_and_the_scan_comes_first() -> None:
    views = fixed_views(16)
    assert views[0] == ScanView() and views[1] == ScanView(mirror=True)
    assert all(replace(first, mirror=True) == second for first, second in zip(views[::2], views[1::2], strict=True))
    assert len(set(views)) == 16 and fixed_views(5) == views[:5]
    assert max(abs(view.angle) for view in views) <= 10 and all(0.9 < view.scale < 1.11 for view in views)


@pytest.mark.parametrize("n", [0, -1, 17, 2.0, True, "4"])
def test_other_numbers_are_refused(predictor, pixels, n) -> None:
    with pytest.raises(InputError, match=r"whole number from 1 \(the scan as it is\) to 16, got"):
        predictor.predict(pixels[0], views=n)
    with pytest.raises(InputError, match="whole number"):
        predictor.predict_many([], views=n)


def test_two_views_are_the_mean_of_scan_and_mirror_image(predictor, pixels) -> None:
    for scan in pixels:
        one, mirrored = (predictor.predict(each) for each in (scan, np.ascontiguousarray(scan[:, ::-1])))
        both = predictor.predict(scan, views=2)
        np.testing.assert_allclose(values(both), (values(one) + values(mirrored)) / 2, atol=1e-6)
        assert both.views is not None and list(both.views.one_view.values()) == pytest.approx(values(one), abs=1e-6)
        np.testing.assert_array_equal(both.class_maps, one.class_maps)
        assert (both.novelty, both.conformal_set) == (one.novelty, one.conformal_set)


def test_an_even_number_of_views_cannot_tell_a_scan_from_its_mirror_image(predictor, pixels) -> None:
    scan = pixels[0]
    mirrored = np.ascontiguousarray(scan[:, ::-1])
    assert np.abs(values(predictor.predict(scan)) - values(predictor.predict(mirrored))).max() > 1e-4
    for n in (2, 6):
        answers = [predictor.predict(each, views=n) for each in (scan, mirrored)]
        np.testing.assert_allclose(*map(values, answers), atol=2e-3)
    symmetric = np.maximum(scan, mirrored)
    np.testing.assert_allclose(
        values(predictor.predict(symmetric)), values(predictor.predict(symmetric, views=2)), atol=1e-5
    )


def test_many_scans_in_any_order_and_size_give_what_each_gives_alone(predictor, pixels) -> None:
    scans = [*pixels, pixels[0][:50], *pixels, *pixels]  # more than one block
    many = predictor.predict_many(iter(scans), views=3)
    alone = [predictor.predict(scan, views=3) for scan in scans]
    np.testing.assert_allclose(many.probabilities, [values(answer) for answer in alone], atol=1e-5)
    assert many.one_view is not None and many.cost is not None
    np.testing.assert_allclose(many.one_view, predictor.predict_many(scans).probabilities, atol=1e-6)
    back = predictor.predict_many(scans[::-1], views=3)
    np.testing.assert_allclose(back.probabilities[::-1], many.probabilities, atol=1e-6)
    assert (many.cost.n, many.cost.scans) == (3, len(scans)) and many.cost.seconds > many.cost.one_view_seconds > 0


def test_one_view_changes_nothing_and_nothing_has_no_cost(predictor, pixels) -> None:
    plain, one = predictor.predict_many(pixels), predictor.predict_many(pixels, views=1)
    np.testing.assert_array_equal(plain.probabilities, one.probabilities)
    assert one.one_view is None and one.cost is None
    none = predictor.predict_many([], views=4)
    assert none.probabilities.shape == (0, 2) and none.cost is None


def test_a_set_of_the_scan_as_it_is_that_contradicts_the_mean_leaves_it_undecided(tiny_comparison, pixels) -> None:
    predictor = Predictor(tiny_comparison.best_run.bundle)
    scan = max(pixels, key=lambda each: _change(predictor, each))
    one, two = predictor.predict(scan), predictor.predict(scan, views=2)
    first, mean = one.probabilities["tumor"], two.probabilities["tumor"]
    assert first != mean
    between = (first + mean) / 2
    point = OperatingPoint("tumor", between, "between")
    sure = ConformalRule(0.9, (1.0 - between, between), "as the operating point")
    predictor.card = replace(predictor.card, operating_point=point, conformal=sure, novelty=None)
    before, after = predictor.predict(scan), predictor.predict(scan, views=2)
    assert before.label != after.label
    assert before.decision == before.label and after.conformal_set == before.conformal_set == (before.label,)
    assert after.decision == UNDECIDED


def test_a_scan_unlike_the_training_data_stays_so(tiny_comparison, pixels, monkeypatch) -> None:
    from tumorlens.bundles import NoveltyRule

    predictor = Predictor(tiny_comparison.best_run.bundle)
    predictor.card = replace(predictor.card, novelty=NoveltyRule(0.1, 0.01, "told"))
    monkeypatch.setattr(predictor, "_novelty", lambda features: 0.2)
    assert predictor.predict(pixels[0], views=2).decision == UNLIKE


def _change(predictor: Predictor, scan: np.ndarray) -> float:
    return float(np.abs(values(predictor.predict(scan)) - values(predictor.predict(scan, views=2))).max())


def test_files_and_arrays_give_the_same(predictor, pixels, tmp_path: Path) -> None:
    Image.fromarray(pixels[0]).save(tmp_path / "a.png")
    (answer,) = predict_files(predictor, [tmp_path / "a.png"], views=4)
    assert answer.prediction is not None
    expected = [predictor.answer(Scan(apply_view(pixels[0], view), "", "RGB", "")) for view in fixed_views(4)]
    np.testing.assert_allclose(values(answer.prediction), np.mean([values(each) for each in expected], 0), atol=1e-6)


def test_costs_add_up() -> None:
    total = total_cost([ViewCost(2, 3.0, 1.0), ViewCost(2, 5.0, 3.0, scans=3)])
    assert total is not None and total.factor == 2.0 and total_cost([]) is None
    document = total.to_json()
    assert (document["n"], document["seconds"], document["one_view_seconds"]) == (2, 2.0, 1.0)
    assert total.words == "2 views: 2.000 s a scan, 2.0 times one view (1.000 s)."


def test_the_command_shows_cost_and_what_rests_on_views(predictor, pixels, tmp_path: Path, capsys) -> None:
    Image.fromarray(pixels[0]).save(tmp_path / "a.png")
    words = ["predict", str(predictor.folder), str(tmp_path / "a.png"), "--views", "2"]
    assert main([*words, "--json", "--heatmaps", str(tmp_path / "why")]) == 0
    document = json.loads(capsys.readouterr().out)
    views = document["views"]
    assert set(views) == {"n", "seconds", "one_view_seconds", "factor", "words", "one_view"}
    assert views["n"] == 2 and views["factor"] > 1 and "not calibrated itself" in views["words"]
    with Image.open(document["heatmap"]) as picture:
        assert "mean over 2 views; the map is of the scan as it is" in picture.info["Description"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "mean over 2 views)" in shown and "2 views: 0." in shown and "times one view" in shown
    assert main([*words[:-1], "99"]) == 2
    assert "from 1 (the scan as it is) to 16, got 99" in capsys.readouterr().err
