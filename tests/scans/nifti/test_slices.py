from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from tumorlens.errors import InputError
from tumorlens.scans import Reading, ReadLimits, parse_window
from tumorlens.scans.nifti import VolumeCut, read_nifti, read_volume


def ball(shape: tuple[int, int, int] = (24, 20, 16), *, dtype: str = "i2") -> npt.NDArray[Any]:
    """A head of noise around the middle, empty at the ends."""
    axes = np.meshgrid(*((np.arange(size) - (size - 1) / 2) / (size / 2) for size in shape), indexing="ij")
    inside = sum(axis**2 for axis in axes) < 0.8
    noise = np.random.default_rng(5).normal(600, 120, shape)
    return np.where(inside, noise, 0).astype(dtype)


def reference(path: Path, plane: str, index: int, *, low: float, high: float) -> npt.NDArray[np.float64]:
    """A slice in grey levels, 0..255 and not rounded, by nibabel's reading of the file."""
    values = nibabel.as_closest_canonical(nibabel.load(path)).get_fdata()
    cut = np.take(values, index, axis=("sagittal", "coronal", "axial").index(plane))
    return np.clip((np.fliplr(np.rot90(cut)) - low) * (255 / (high - low)), 0, 255)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("dtype", "version", "scaling"),
    [("u2", 1, None), ("i2", 2, (0.5, 100.0)), (">f4", 1, None), ("f8", 2, None), ("i4", 1, (2.0, -7.0))],
)
def test_pixels_equal_the_reference_to_half_a_grey_level(
    tmp_path: Path,
    write_volume: Callable[..., Path],
    stored_as: Callable[..., Any],
    plane: Any,
    suffix: str,
    dtype: str,
    version: int,
    scaling: Any,
) -> None:
    stored = stored_as(ball(dtype=dtype), np.diag([2.0, 2.0, 2.0, 1.0]), "LSA")
    file = write_volume(tmp_path / f"a{suffix}", *stored, version=version, scaling=scaling)
    low, high = read_volume(file).grey_range(parse_window("percentiles"))
    scans = list(read_nifti(file, Reading(plane=plane)))
    assert scans
    for scan in scans:
        index = int(scan.source.rpartition("=")[2])
        expected = reference(file, plane, index, low=low, high=high)
        assert np.abs(scan.pixels - expected[:, :, None]).max() <= 0.5 + 1e-3
        assert scan.pixels.flags.c_contiguous


def test_a_scan_says_what_was_done(tmp_path: Path, write_volume: Callable[..., Path], stored_as: Any) -> None:
    affine = np.array([[2.0, 0, 0, 5], [0, 2.0, 0, 0], [0, 0, 4.0, -30], [0, 0, 0, 1]])
    file = write_volume(tmp_path / "head.nii.gz", *stored_as(ball(), affine, "LPS"))
    scans = list(read_nifti(file, Reading(window=parse_window("0,1000"))))
    scan = next(scan for scan in scans if scan.source == f"{file}#z=8")
    assert scan.receipt == ("reoriented=LPS to RAS", "slice=axial z=8 of 0..15", "window=fixed:0..1000")
    assert scan.format == "NIFTI"
    assert scan.mode == "int16"
    assert scan.facts == {
        "modality": "",
        "plane": "axial",
        "sequence_type": "",
        "field_strength_t": "",
        "maker": "",
        "spacing_mm": "2",
        "slice_thickness_mm": "4",
        "slice_position_mm": "2.00",
    }
    positions = [float(scan.facts["slice_position_mm"]) for scan in scans]
    assert positions == sorted(positions), "from the bottom up"


def test_slices_with_little_head_are_left_out(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    values = np.zeros((20, 20, 5), np.int16)
    values[:10, :10, 1], values[:4, :5, 2], values[:4, :4, 3] = 100, 100, 100  # a quarter, 5 % and 4 % of the slice
    file = write_volume(tmp_path / "a.nii", values)
    names = [scan.source.rpartition("#")[2] for scan in read_nifti(file)]
    assert names == ["z=1", "z=2"]
    assert len(list(read_nifti(file, minimum_area=0.04))) == 3
    assert len(list(read_nifti(file, minimum_area=0.0))) == 5
    with pytest.raises(InputError, match="None of the 5 axial slices"):
        read_nifti(file, minimum_area=0.3)


def test_ten_percent_of_the_way_is_not_head(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    values = np.zeros((10, 10, 2), np.int16)
    values[:, :, 0], values[:, :, 1] = 99, 103
    cut = VolumeCut.of(read_volume(write_volume(tmp_path / "a.nii", values)), Reading(window=parse_window("0,1000")))
    assert (cut.grey(0).max(), cut.grey(1).min()) == (25, 26)
    scans = list(read_nifti(tmp_path / "a.nii", Reading(window=parse_window("0,1000"))))
    assert [scan.source[-3:] for scan in scans] == ["z=1"]


def test_pixels_become_square(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    file = write_volume(tmp_path / "a.nii", ball(), np.diag([1.0, 1.005, 3.0, 1.0]))
    axial = next(read_nifti(file))
    assert axial.pixels.shape == (20, 24, 3), "less than 1 % apart"
    cut = VolumeCut.of(read_volume(file), Reading(plane="coronal"))
    scan = cut.scan(10, mask=cut.grey(10) > 40)
    assert scan.pixels.shape == (48, 24, 3)
    assert scan.receipt[-1] == "resized=24x16 to 24x48, bilinear"
    assert scan.facts["spacing_mm"] == "3x1"
    assert scan.mask is not None
    assert scan.mask.shape == (48, 24)
    np.testing.assert_array_equal(scan.mask, np.repeat(cut.grey(10) > 40, 3, axis=0))
    np.testing.assert_allclose(scan.pixels[1::3, :, 0], cut.grey(10), atol=1)
    with pytest.raises(InputError, match="limit for one scan"):
        cut.scan(10, limits=ReadLimits(pixels=1000))


def test_far_from_square_pixels_are_refused(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    file = write_volume(tmp_path / "a.nii", ball(), np.diag([1.0, 1.0, 90.0, 1.0]))
    assert list(read_nifti(file))
    with pytest.raises(InputError, match="1x90 mm in the coronal plane"):
        read_nifti(file, Reading(plane="coronal"))


def test_the_first_of_several_and_an_assumed_orientation_are_said(
    tmp_path: Path, write_volume: Callable[..., Path]
) -> None:
    values = ball()
    write_volume(tmp_path / "a.nii", np.stack([values, values], axis=3))
    assert next(read_nifti(tmp_path / "a.nii")).receipt[:2] == ("volume=1 of 2", "orientation=RAS")
    image = nibabel.Nifti1Image(values, None)
    image.header.set_sform(None, 0)
    image.header.set_qform(None, 0)
    image.to_filename(tmp_path / "b.nii")
    assert next(read_nifti(tmp_path / "b.nii")).receipt[0] == "reoriented=LAS to RAS (assumed, the file does not say)"


def test_values_that_are_not_finite_do_no_harm(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    values = ball(dtype="f8")
    plain = list(read_nifti(write_volume(tmp_path / "a.nii", values)))
    values[12, 10, 8], values[12, 11, 8], values[12, 12, 8], values[0, 0, 8] = np.nan, np.inf, -np.inf, 1e308
    scans = list(read_nifti(write_volume(tmp_path / "b.nii", values)))
    picture = next(scan.pixels for scan in scans if scan.source.endswith("z=8"))
    assert [picture[19 - y, 23 - 12, 0] for y in (10, 11, 12)] == [0, 255, 0]
    assert len(scans) == len(plain)
    for odd in (np.full((8, 8, 8), np.nan), np.full((8, 8, 8), 7.0), np.zeros((8, 8, 8))):
        with pytest.raises(InputError, match="None of the 8 axial slices"):
            read_nifti(write_volume(tmp_path / "c.nii", odd))


def test_the_dicom_rule_is_refused(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="--window dicom"):
        read_nifti(write_volume(tmp_path / "a.nii", ball()), Reading(window=parse_window("dicom")))
