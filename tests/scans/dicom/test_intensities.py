from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence as Items

from tumorlens.errors import InputError
from tumorlens.scans import Reading, Window, intensity_range, parse_window
from tumorlens.scans.dicom import index_dicom, read_dicom, read_series

Writer = Callable[..., Path]


def reference(file: Path, *, index: int = 0) -> np.ndarray:
    """Grey levels by pydicom: apply_voi_lut, scaled from its output range to 0..255."""
    dataset = pydicom.dcmread(file)
    shown = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset, index=index).astype(np.float64)
    if dataset.get("VOILUTSequence"):
        low, high = 0.0, 2.0 ** dataset.VOILUTSequence[index].LUTDescriptor[2] - 1
    else:
        ends = np.array([0, 2**dataset.BitsStored - 1]) - dataset.PixelRepresentation * 2 ** (dataset.BitsStored - 1)
        low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    return (shown - low) / (high - low) * 255


def grey_of(file: Path, window: str) -> np.ndarray:
    return next(read_dicom(file, Reading(window=parse_window(window)))).pixels[:, :, 0]


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("rescale", [(1, 0), (2.5, -700), (0.01, 3)])
def test_windows_agree_with_pydicom(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, function: str | None, dtype: str, rescale: tuple
) -> None:
    slope, intercept = rescale
    values = make_phantom(1, low=-500 if dtype == "int16" else 0, high=1500, dtype=dtype)
    extra = {"RescaleSlope": slope, "RescaleIntercept": intercept, "VOILUTFunction": function}
    extra |= {"WindowCenter": [1100 * slope + intercept, 900 * slope + intercept]}
    extra |= {"WindowWidth": [max(1600 * slope, 2), max(900 * slope, 2)]}
    extra = {name: value for name, value in extra.items() if value is not None}
    file = write_dicom(tmp_path / "a.dcm", values, bits_stored=12, extra=extra)
    for number in (1, 2):
        difference = grey_of(file, f"dicom:{number}") - reference(file, index=number - 1)
        assert np.abs(difference).max() <= 1
    assert len(np.unique(grey_of(file, "dicom"))) > 20
    receipt = next(read_dicom(file, Reading(window=Window("dicom", index=2)))).receipt
    assert receipt[0] == f"rescale={slope:g},{intercept:g}"
    assert receipt[1].startswith(f"window=dicom:2:{(function or 'linear').lower()}:")


def table(first: int, entries: np.ndarray, *, bits: int) -> Items:
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if first >= 0 else "SS", [len(entries), first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return Items([item])


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_a_voi_lut_agrees_with_pydicom_and_precedes_the_window(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, dtype: str
) -> None:
    low = -200 if dtype == "int16" else 0
    values = make_phantom(2, low=low, high=900, dtype=dtype)
    entries = (np.linspace(0, 1, 700) ** 2 * 4095).astype(np.uint16)
    extra = {"VOILUTSequence": table(low + 100, entries, bits=12), "WindowCenter": 1, "WindowWidth": 2}
    file = write_dicom(tmp_path / "a.dcm", values, bits_stored=12, extra=extra)
    assert np.abs(grey_of(file, "dicom") - reference(file)).max() <= 1
    assert next(read_dicom(file, Reading(window=Window("dicom")))).receipt == ("window=dicom:1:lut:700",)


def test_a_modality_lut_agrees_with_pydicom(tmp_path: Path, write_dicom: Writer, make_phantom: Callable) -> None:
    values = make_phantom(3, high=900)
    entries = np.sqrt(np.arange(1000) * 60).astype(np.uint16)
    extra = {"ModalityLUTSequence": table(5, entries, bits=16)}
    file = write_dicom(tmp_path / "a.dcm", values, extra=extra)
    dataset = pydicom.dcmread(file)
    expected = apply_modality_lut(dataset.pixel_array, dataset) * (255 / 250)
    assert np.abs(grey_of(file, "0,250") - np.clip(expected, 0, 255)).max() <= 1


def test_the_default_window_are_percentiles_over_the_whole_series(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable
) -> None:
    stack = [make_phantom(seed, high=300 * (seed + 1)) for seed in range(4)]
    files = [write_dicom(tmp_path / f"{z}.dcm", values, z=z, number=z) for z, values in enumerate(stack)]
    low, high = intensity_range(stack, count=sum(values.size for values in stack))
    scans = list(read_series(index_dicom(files).series[0]))
    for scan, values in zip(scans, stack, strict=True):
        expected = np.clip((values - low) / (high - low) * 255, 0, 255)
        assert np.abs(scan.pixels[:, :, 1] - expected).max() <= 1
        assert scan.receipt == (f"window=percentiles:{low:g}..{high:g}",)
    assert scans[0].pixels.max() < 90
    assert next(read_dicom(files[0])).pixels.max() == 255


def test_monochrome1_is_turned_over(tmp_path: Path, write_dicom: Writer, make_phantom: Callable) -> None:
    values = make_phantom(4)
    plain = write_dicom(tmp_path / "a.dcm", values)
    turned = write_dicom(tmp_path / "b.dcm", values, photometric="MONOCHROME1")
    np.testing.assert_array_equal(grey_of(turned, "0,1000"), 255 - grey_of(plain, "0,1000"))
    scan = next(read_dicom(turned, Reading(window=Window("fixed", low=0, high=1000))))
    assert scan.receipt == ("window=fixed:0..1000", "inverted")
    assert scan.mode == "MONOCHROME1/uint16"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_move_the_percentiles(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, photometric: str
) -> None:
    values = make_phantom(5, low=100, high=900, dtype="int16")
    plain = write_dicom(tmp_path / "a.dcm", values[:, 8:], photometric=photometric)
    padded = values.copy()
    padded[:, :8] = -2000
    extra = {"PixelPaddingValue": -2000}
    file = write_dicom(tmp_path / "b.dcm", padded, photometric=photometric, extra=extra)
    grey = grey_of(file, "percentiles")
    assert (grey[:, :8] == 0).all()
    np.testing.assert_array_equal(grey[:, 8:], grey_of(plain, "percentiles"))
    assert "padding=-2000" in next(read_dicom(file)).receipt


def test_a_range_of_padding_is_read(tmp_path: Path, write_dicom: Writer, make_phantom: Callable) -> None:
    values = make_phantom(6, low=100, high=900)
    values[0, :4] = [0, 5, 10, 11]
    extra = {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 10}
    file = write_dicom(tmp_path / "a.dcm", values, extra=extra)
    grey = grey_of(file, "-1000,1000")
    assert list(grey[0, :3]) == [0, 0, 0]
    assert grey[0, 3] == 129
    assert next(read_dicom(file)).receipt[0] == "padding=0..10"


@pytest.mark.parametrize(
    ("window", "extra", "message"),
    [
        ("dicom", {}, "has no window of its own: choose --window percentiles"),
        ("dicom:3", {"WindowCenter": [1, 2], "WindowWidth": [3, 4]}, "has 2 windows, none with the number 3"),
        ("dicom", {"WindowCenter": 10, "WindowWidth": 0}, "its window is 0 wide, expected at least 1"),
        ("dicom", {"WindowCenter": 10, "WindowWidth": 5, "VOILUTFunction": "CUBIC"}, "window function that is not"),
        ("percentiles", {"RescaleSlope": 0, "RescaleIntercept": 0}, "its rescale slope is 0"),
    ],
)
def test_windows_that_cannot_be_applied_are_refused(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, window: str, extra: dict, message: str
) -> None:
    file = write_dicom(tmp_path / "a.dcm", make_phantom(7), extra=extra)
    with pytest.raises(InputError, match=message) as caught:
        grey_of(file, window)
    assert "\n" not in str(caught.value)
