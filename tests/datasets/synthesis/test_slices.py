from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.datasets.synthesis import SynthesisSettings, VirtualPatient, virtual_patient
from tumorlens.datasets.synthesis import grid as grid_module
from tumorlens.datasets.synthesis.plan import plan_slices
from tumorlens.datasets.synthesis.settings import MIN_TUMOR_AREA_MM2
from tumorlens.errors import InputError


def _same(first: VirtualPatient, second: VirtualPatient) -> bool:
    return all(
        np.array_equal(one.pixels, other.pixels) and np.array_equal(one.mask, other.mask)
        for one, other in zip(first.slices, second.slices, strict=True)
    )


def test_slices_are_pictures_of_brain_in_an_empty_frame(
    cohort: list[VirtualPatient], settings: SynthesisSettings
) -> None:
    for made in (made for patient in cohort for made in patient.slices):
        assert made.pixels.shape == made.mask.shape == (settings.size, settings.size)
        assert made.pixels.dtype == np.uint8
        assert made.mask.dtype == np.bool_
        assert not made.pixels[:6].any()
        assert not made.pixels[:, :6].any()
        assert not made.pixels[:, -6:].any()
        brain_mm2 = np.count_nonzero(made.pixels) * settings.pixel_mm**2
        assert 800 < brain_mm2 < 22_000
        assert 40 < np.median(made.pixels[made.pixels > 0]) < 250


def test_label_follows_from_the_mask(cohort: list[VirtualPatient], settings: SynthesisSettings) -> None:
    for patient in cohort:
        for made in patient.slices:
            assert made.mask_area_mm2 == pytest.approx(made.mask.sum() * settings.pixel_mm**2)
            assert made.mask_area_mm2 == 0 or made.mask_area_mm2 >= MIN_TUMOR_AREA_MM2
            assert made.label == ("tumor" if made.mask.any() else "no_tumor")
        labels = {made.label for made in patient.slices}
        assert labels == ({"tumor", "no_tumor"} if patient.has_tumor else {"no_tumor"})


def test_mask_lies_in_the_brain(cohort: list[VirtualPatient]) -> None:
    for made in (made for patient in cohort for made in patient.slices if made.mask.any()):
        assert (made.pixels[made.mask] > 0).mean() > 0.9


def test_same_settings_give_the_same_pixels_in_any_order(
    cohort: list[VirtualPatient], settings: SynthesisSettings
) -> None:
    plan_slices.cache_clear()
    for index in (4, 0):
        assert _same(virtual_patient(settings, index), cohort[index])


def test_another_seed_gives_another_patient(cohort: list[VirtualPatient], settings: SynthesisSettings) -> None:
    assert not _same(virtual_patient(replace(settings, seed=12), 0), cohort[0])


def test_memory_blocks_change_nothing(
    cohort: list[VirtualPatient], settings: SynthesisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid_module, "_BLOCK_POINTS", 12_000)
    ill = next(patient.index for patient in cohort if patient.has_tumor)
    plan_slices.cache_clear()
    blocks = virtual_patient(settings, ill)
    for one, other in zip(blocks.slices, cohort[ill].slices, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.height_mm == other.height_mm


def test_shortcut_marks_tumor_slices_and_no_other(cohort: list[VirtualPatient], settings: SynthesisSettings) -> None:
    planted = replace(settings, shortcut=True)
    edge = settings.size // 12
    for index in range(settings.patients):
        patient = virtual_patient(planted, index)
        for made, plain in zip(patient.slices, cohort[index].slices, strict=True):
            assert (made.pixels[:edge, :edge].max() > 200) == (made.label == "tumor")
            np.testing.assert_array_equal(made.pixels[edge:], plain.pixels[edge:])


def test_slice_maximum_gives_every_slice_a_white_pixel(settings: SynthesisSettings) -> None:
    patient = virtual_patient(replace(settings, scaling="slice-maximum"), 0)
    assert {int(made.pixels.max()) for made in patient.slices} == {255}


@pytest.mark.parametrize("index", [-1, 6])
def test_patient_out_of_range(settings: SynthesisSettings, index: int) -> None:
    with pytest.raises(InputError, match=f"numbered 0 to 5, got {index}"):
        virtual_patient(settings, index)
