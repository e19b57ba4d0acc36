"""A missing crop is applied once; pixels that went through another step are refused."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.scans import PixelSteps
from tumorlens.workflows.evaluation_steps import compare_steps

HARMONISED = ("crop=brain", "harmonise=skull,levels")
VOLUME = ("plane=axial", "window=percentiles")


def framed() -> np.ndarray:
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[15:45, 30:60] = 150
    return pixels


def test_a_missing_crop_is_applied_and_a_present_one_is_not_repeated() -> None:
    steps = compare_steps(("crop=brain",), ())
    assert steps.pixel_steps == PixelSteps("brain") and "crop=brain was applied" in steps.notes[0]
    assert steps.apply(framed()).shape[0] < 60
    for same in ((), ("crop=brain",), HARMONISED, (*VOLUME, "crop=brain")):
        steps = compare_steps(same, same)
        assert not steps.pixel_steps and steps.notes == ()
        assert np.array_equal(steps.apply(framed()), framed())


@pytest.mark.parametrize(
    ("model", "dataset", "message"),
    [
        ((), ("crop=brain",), "trained without: import it again with no --crop brain"),
        (("crop=brain",), HARMONISED, "with --harmonise, but the model was trained with --crop brain"),
        (HARMONISED, ("crop=brain",), "again with --harmonise"),
        (VOLUME, ("plane=coronal", "window=percentiles"), "--plane axial"),
        ((), ("plane=axial", "window=dicom"), "--window percentiles"),
    ],
)
def test_steps_the_model_does_not_have_are_refused(model, dataset, message) -> None:
    with pytest.raises(InputError, match=message):
        compare_steps(model, dataset)


def test_volumes_read_by_the_defaults_are_what_prediction_does_too() -> None:
    assert compare_steps((), VOLUME).notes == ()
    assert "volumes" in compare_steps(VOLUME, ()).notes[0]
