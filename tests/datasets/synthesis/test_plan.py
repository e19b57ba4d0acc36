from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tumorlens.datasets.synthesis import SynthesisSettings, plan
from tumorlens.datasets.synthesis.grid import head_grid
from tumorlens.datasets.synthesis.patient import draw_head
from tumorlens.datasets.synthesis.plan import PatientPlan, plan_slices
from tumorlens.datasets.synthesis.settings import HEIGHT_RANGE_MM, MIN_TUMOR_AREA_MM2
from tumorlens.errors import InputError

_SETTINGS = SynthesisSettings(patients=40, slices_each=10, size=60, seed=1)


@pytest.fixture(scope="module")
def plans() -> tuple[PatientPlan, ...]:
    return plan_slices(_SETTINGS)


@pytest.fixture(scope="module")
def areas(plans: tuple[PatientPlan, ...]) -> list[np.ndarray]:
    frame, _ = head_grid(_SETTINGS.size)
    return [
        draw_head(_SETTINGS, one.index, has_tumor=one.has_tumor, attempt=one.attempt).mask_areas_mm2(
            frame.at_heights(one.heights_mm), pixel_mm=_SETTINGS.pixel_mm
        )
        for one in plans
    ]


def test_every_patient_gives_its_slices_at_spaced_heights(plans: tuple[PatientPlan, ...]) -> None:
    for one in plans:
        heights = np.array(one.heights_mm)
        assert len(heights) == _SETTINGS.slices_each
        assert heights.min() >= HEIGHT_RANGE_MM[0]
        assert heights.max() <= HEIGHT_RANGE_MM[1]
        assert np.diff(heights).min() > _SETTINGS.spacing_mm - 1e-6


def test_share_of_patients_have_a_tumor(plans: tuple[PatientPlan, ...]) -> None:
    assert sum(one.has_tumor for one in plans) == 20


def test_no_mask_is_small_but_not_empty(areas: list[np.ndarray]) -> None:
    together = np.concatenate(areas)
    assert ((together == 0) | (together >= MIN_TUMOR_AREA_MM2)).all()


def test_tumor_patients_have_slices_of_both_kinds(plans: tuple[PatientPlan, ...], areas: list[np.ndarray]) -> None:
    for one, area in zip(plans, areas, strict=True):
        assert (area == 0).any()
        assert (area > 0).any() == one.has_tumor


def test_height_is_no_shortcut(plans: tuple[PatientPlan, ...], areas: list[np.ndarray]) -> None:
    heights = np.concatenate([one.heights_mm for one in plans])
    tumor = np.concatenate(areas) > 0
    assert tumor.sum() > 60
    assert roc_auc_score(tumor, heights) == pytest.approx(0.5, abs=0.04)
    middle = np.abs(heights - np.median(heights))
    assert roc_auc_score(tumor, middle) == pytest.approx(0.5, abs=0.04)
    bands = np.linspace(*HEIGHT_RANGE_MM, 6)
    with_tumor, without = (np.histogram(heights[chosen], bands)[0] / chosen.sum() for chosen in (tumor, ~tumor))
    assert np.abs(with_tumor - without).max() < 0.06


def test_height_is_a_shortcut_without_matching(areas: list[np.ndarray]) -> None:
    """The candidates themselves are not matched: the test above can fail."""
    frame, _ = head_grid(_SETTINGS.size)
    heights = np.arange(*HEIGHT_RANGE_MM, _SETTINGS.spacing_mm)
    tumor = [
        draw_head(_SETTINGS, index, has_tumor=True).mask_areas_mm2(
            frame.at_heights(heights), pixel_mm=_SETTINGS.pixel_mm
        )
        > 0
        for index in range(12)
    ]
    middle = np.tile(-np.abs(heights - np.median(heights)), len(tumor))
    assert roc_auc_score(np.concatenate(tumor), middle) > 0.6


@pytest.mark.parametrize(("share", "ill"), [(0.0, 0), (1.0, 3)])
def test_extreme_shares(share: float, ill: int) -> None:
    plans = plan_slices(SynthesisSettings(patients=3, slices_each=4, size=48, tumor_share=share))
    assert sum(one.has_tumor for one in plans) == ill
    assert {len(one.heights_mm) for one in plans} == {4}


@pytest.mark.parametrize(("slices_each", "spacing_mm"), [(1, 20.0), (3, 20.0), (15, 5.0)])
def test_extreme_spacings(slices_each: int, spacing_mm: float) -> None:
    settings = SynthesisSettings(patients=4, slices_each=slices_each, spacing_mm=spacing_mm, size=48, tumor_share=1.0)
    assert {len(one.heights_mm) for one in plan_slices(settings)} == {slices_each}


def test_tumours_that_leave_too_few_slices_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_ATTEMPTS", 0)
    settings = SynthesisSettings(patients=2, slices_each=2, size=48, seed=99)
    with pytest.raises(InputError, match="fewer slices_each or a smaller spacing_mm"):
        plan_slices(settings)
