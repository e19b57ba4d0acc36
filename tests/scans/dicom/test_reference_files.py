"""Against the files that ship with pydicom, and its own decoding of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

from tumorlens.errors import InputError
from tumorlens.scans import Reading, Window, quiet_decoding
from tumorlens.scans.dicom import index_dicom, read_dicom

GREY = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "image_dfl.dcm",
    "examples_overlay.dcm",
]
COLOUR = [
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jpeg.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_rgb_color.dcm",
    "examples_jpeg2k.dcm",
]


def packaged(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found, f"{name} does not ship with pydicom"
    return Path(str(found))


@pytest.mark.parametrize("name", GREY)
def test_grey_files_agree_with_pydicom(name: str) -> None:
    file = packaged(name)
    with quiet_decoding():
        dataset = pydicom.dcmread(file)
        values = apply_modality_lut(dataset.pixel_array, dataset).astype(np.float64)
        low, high = values.min(), values.max()
        (scan,) = read_dicom(file, Reading(window=Window("fixed", low=low, high=high)))
        measured = dataset.pixel_array != dataset.get("PixelPaddingValue", 2**20)
        difference = scan.pixels[:, :, 0] - (values - low) / (high - low) * 255
        assert np.abs(difference[measured]).max() <= 1


def test_windows_of_the_files_agree_with_pydicom() -> None:
    checked = 0
    for name in GREY:
        with quiet_decoding():
            dataset = pydicom.dcmread(packaged(name))
            if "WindowCenter" not in dataset:
                continue
            shown = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
            (scan,) = read_dicom(packaged(name), Reading(window=Window("dicom")))
        measured = dataset.pixel_array != dataset.get("PixelPaddingValue", 2**20)
        ends = np.array([0, 2**dataset.BitsStored - 1]) - dataset.PixelRepresentation * 2 ** (dataset.BitsStored - 1)
        low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
        difference = scan.pixels[:, :, 0] - (shown - low) / (high - low) * 255
        assert np.abs(difference[measured]).max() <= 1
        checked += 1
    assert checked >= 5


@pytest.mark.parametrize("name", COLOUR)
def test_colour_files_agree_with_pydicom(name: str) -> None:
    file = packaged(name)
    with quiet_decoding():
        expected = pydicom.dcmread(file).pixel_array
        (scan,) = read_dicom(file)
    assert np.abs(scan.pixels.astype(int) - expected).max() <= 1


def test_a_palette_agrees_with_pydicom() -> None:
    file = packaged("examples_palette.dcm")
    dataset = pydicom.dcmread(file)
    expected = apply_color_lut(dataset.pixel_array, dataset) / 257
    assert np.abs(next(read_dicom(file)).pixels - expected).max() <= 1


def test_jpeg_of_12_bits_gives_the_published_values() -> None:
    file = packaged("JPGExtended.dcm")
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=0, high=255)))
    assert (scan.pixels[420, 140, 0], scan.pixels[230, 120, 0]) == (244, 95)
    assert scan.mode == "MONOCHROME2/uint16"


def test_frames_of_a_colour_file() -> None:
    file = packaged("SC_rgb_rle_2frame.dcm")
    scans = list(read_dicom(file))
    expected = pydicom.dcmread(file).pixel_array
    np.testing.assert_array_equal(np.stack([scan.pixels for scan in scans]), expected)


def test_a_truncated_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"8130 bytes of pixels, expected 8192"):
        list(read_dicom(packaged("MR_truncated.dcm")))


def test_a_packaged_study_falls_into_series() -> None:
    folder = packaged("DICOMDIR").parent
    with quiet_decoding():
        index = index_dicom(sorted(path for path in folder.rglob("*") if path.is_file() and "98892" in str(path)))
    planes = sorted(str(series.plane) for series in index.series)
    assert set(planes) == {"axial", "coronal", "sagittal"}
    assert index.count("localizer") == 6
    assert not index.unreadable
    ct = next(series for series in index.series if series.modality == "CT" and len(series.slices) == 5)
    places = [item.position for item in ct.slices]
    assert places == sorted(places)
