from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.scans.nifti import read_mask, read_volume

AFFINE = np.array([[0.5, 0, 0, -3], [0, 2.0, 0, 4], [0, 0, 5.0, 0], [0, 0, 0, 1.0]])


@pytest.fixture
def marks() -> Any:
    """``(5, 6, 7)``: values 1, 2 and 4 in the slice z=3."""
    values = np.zeros((5, 6, 7), np.uint8)
    values[1, 2:5, 3], values[4, 5, 3], values[0, 0, 3] = 1, 2, 4
    return values


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAR", "PIL"])
def test_a_mask_lies_on_its_image_however_it_is_stored(
    tmp_path: Path, ramp: Any, marks: Any, write_volume: Callable[..., Path], stored_as: Any, codes: str
) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii.gz", *stored_as(ramp, AFFINE, "LPS")))
    mask = read_mask(write_volume(tmp_path / "m.nii.gz", *stored_as(marks, AFFINE, codes)), image)
    for plane, index in (("axial", 3), ("coronal", 2), ("sagittal", 4)):
        shown, marked = image.slice_values(plane, index), mask.marked(plane, index)
        expected = np.isin(shown, ramp[marks > 0])
        np.testing.assert_array_equal(marked, expected)
        assert marked.any()


def test_areas_are_square_millimetres(tmp_path: Path, ramp: Any, marks: Any, write_volume: Any) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii", ramp, AFFINE))
    file = write_volume(tmp_path / "m.nii", marks.astype(np.float32), AFFINE)
    assert read_mask(file, image).area_mm2("axial", 3) == pytest.approx(5 * 0.5 * 2.0)
    assert read_mask(file, image, labels=(1, 2)).area_mm2("axial", 3) == pytest.approx(4 * 0.5 * 2.0)
    assert read_mask(file, image, labels=(4,)).area_mm2("sagittal", 0) == pytest.approx(2.0 * 5.0)
    assert read_mask(file, image).area_mm2("axial", 2) == 0


def test_a_scaled_mask_counts_by_its_real_values(tmp_path: Path, ramp: Any, marks: Any, write_volume: Any) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii", ramp))
    mask = read_mask(write_volume(tmp_path / "m.nii", marks, scaling=(2.0, 0.0)), image, labels=(8,))
    assert np.count_nonzero(mask.marked("axial", 3)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda marks: (marks[:, :, :6], AFFINE), "5x6x6 voxels and its image .* 5x6x7"),
        (lambda marks: (marks, AFFINE + np.array([[0, 0, 0, 0.2]] + [[0] * 4] * 3)), "0.2 mm off"),
        (lambda marks: (marks, np.diag([0.5, 2.0, 5.5, 1])), "mm off its image"),
        (lambda marks: (np.stack([marks, marks], axis=3), AFFINE), "2 volumes"),
    ],
)
def test_a_mask_of_something_else_is_refused(
    tmp_path: Path, ramp: Any, marks: Any, write_volume: Callable[..., Path], change: Any, reason: str
) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii", ramp, AFFINE))
    with pytest.raises(InputError, match=reason):
        read_mask(write_volume(tmp_path / "m.nii", *change(marks)), image)


def test_rounding_of_the_affine_is_forgiven(tmp_path: Path, ramp: Any, marks: Any, write_volume: Any) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii", ramp, AFFINE))
    near = AFFINE + np.array([[0, 0, 0, 0.01]] + [[0] * 4] * 3)
    assert read_mask(write_volume(tmp_path / "m.nii", marks, near), image).marked("axial", 3).any()


def test_values_that_are_no_labels_are_refused(tmp_path: Path, ramp: Any, marks: Any, write_volume: Any) -> None:
    image = read_volume(write_volume(tmp_path / "a.nii", ramp))
    values = marks * np.float32(0.3)
    mask = read_mask(write_volume(tmp_path / "m.nii", values), image)
    with pytest.raises(InputError, match="holds 0.3, expected whole numbers|holds 1.2|holds 0.6"):
        mask.marked("axial", 3)
    values[...] = np.nan
    assert not read_mask(write_volume(tmp_path / "n.nii", values), image).marked("axial", 3).any()
