from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tumorlens.scans import Reading, Window
from tumorlens.scans.dicom import read_dicom

JPEG_BASELINE = UID("1.2.840.10008.1.2.4.50")
JPEG_LOSSLESS = UID("1.2.840.10008.1.2.4.70")
PLAIN = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
PACKED = [RLELossless, JPEGLSLossless, JPEG2000Lossless, JPEG_LOSSLESS]
KINDS = [
    ("uint8", 8),
    ("int8", 8),
    ("uint16", 10),
    ("uint16", 12),
    ("uint16", 16),
    ("int16", 9),
    ("int16", 12),
    ("int16", 16),
]


def limits_of(dtype: str, bits: int) -> tuple[int, int]:
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def expected_grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip(np.rint((values.astype(np.float64) - low) * 255 / (high - low)), 0, 255)


@pytest.mark.parametrize(("dtype", "bits"), [*KINDS, ("uint32", 32), ("int32", 20)])
@pytest.mark.parametrize("syntax", PLAIN, ids=lambda uid: uid.keyword)
def test_uncompressed_files_give_the_values_that_were_written(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable, syntax: UID, dtype: str, bits: int
) -> None:
    low, high = limits_of(dtype, bits)
    values = make_phantom(1, low=low, high=high, dtype=dtype)
    file = write_dicom(tmp_path / "a.dcm", values, syntax=syntax, bits_stored=bits)
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=low, high=high)))
    difference = scan.pixels.astype(int) - expected_grey(values, low, high)[:, :, None]
    assert np.abs(difference).max() <= 1
    assert scan.mode == f"MONOCHROME2/{dtype}"


@pytest.mark.parametrize(("dtype", "bits"), KINDS)
@pytest.mark.parametrize("syntax", PACKED, ids=lambda uid: uid.keyword)
def test_lossless_compression_gives_the_values_that_were_written(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable, syntax: UID, dtype: str, bits: int
) -> None:
    low, high = limits_of(dtype, bits)
    values = make_phantom(2, low=low, high=high, dtype=dtype)
    file = write_dicom(tmp_path / "a.dcm", values, syntax=syntax, bits_stored=bits)
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=low, high=high)))
    difference = scan.pixels.astype(int) - expected_grey(values, low, high)[:, :, None]
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("colour", [False, True])
def test_jpeg_baseline_equals_what_pillow_decodes(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable, colour: bool
) -> None:
    values = make_phantom(3, high=255, dtype="uint8")
    if colour:
        values = np.stack([values, values // 2, 255 - values], axis=2)
    file = write_dicom(
        tmp_path / "a.dcm", values, syntax=JPEG_BASELINE, photometric="YBR_FULL_422" if colour else "MONOCHROME2"
    )
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=95)
    decoded = np.asarray(Image.open(stream).convert("RGB")).astype(int)
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=0, high=255)))
    assert np.abs(scan.pixels - decoded).max() <= 1
    if colour:
        assert scan.receipt == ("colour=YBR_FULL_422",)
        assert np.abs(scan.pixels - values.astype(int)).mean() < 20


@pytest.mark.parametrize("syntax", [*PLAIN, RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEG_BASELINE])
def test_every_frame_of_a_file_comes_out_in_its_place(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable, syntax: UID
) -> None:
    values = np.stack([np.full((40, 41), 20 * place, np.uint8) for place in range(1, 6)])
    frames = [{"z": -4.0 * place} for place in range(5)]
    file = write_dicom(tmp_path / "a.dcm", values, syntax=syntax, frames=frames)
    scans = list(read_dicom(file, Reading(window=Window("fixed", low=0, high=255))))
    assert [int(scan.pixels.max()) for scan in scans] == [100, 80, 60, 40, 20]
    assert [scan.source for scan in scans] == [f"{file}#{number}" for number in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, ImplicitVRLittleEndian])
def test_frames_of_an_odd_number_of_bytes(tmp_path: Path, write_dicom: Callable[..., Path], syntax: UID) -> None:
    values = np.arange(3 * 3 * 5, dtype=np.uint8).reshape(3, 3, 5)
    file = write_dicom(tmp_path / "a.dcm", values, syntax=syntax, frames=[{"z": 1.0 * z} for z in range(3)])
    scans = list(read_dicom(file, Reading(window=Window("fixed", low=0, high=255))))
    np.testing.assert_array_equal(np.stack([scan.pixels[:, :, 0] for scan in scans]), values)


def test_bits_below_the_highest_that_do_not_count_are_cut_off(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable
) -> None:
    values = make_phantom(4, high=4095)
    noise = np.random.default_rng(0).integers(0, 16, values.shape).astype(np.uint16)
    file = write_dicom(tmp_path / "a.dcm", values << 4 | noise, bits_stored=12, extra={"HighBit": 15})
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=0, high=4095)))
    assert np.abs(scan.pixels[:, :, 0] - expected_grey(values, 0, 4095)).max() <= 1


def test_bits_above_the_highest_are_cleared(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable
) -> None:
    values = make_phantom(5, high=4095)
    file = write_dicom(tmp_path / "a.dcm", values | 0x8000, bits_stored=12)
    (scan,) = read_dicom(file, Reading(window=Window("fixed", low=0, high=4095)))
    assert np.abs(scan.pixels[:, :, 0] - expected_grey(values, 0, 4095)).max() <= 1


def test_a_file_without_preamble_and_meta_information_is_read(
    tmp_path: Path, write_dicom: Callable[..., Path], make_phantom: Callable
) -> None:
    import pydicom

    values = make_phantom(6)
    whole = pydicom.dcmread(write_dicom(tmp_path / "a.dcm", values, syntax=ImplicitVRLittleEndian))
    del whole.file_meta
    whole.preamble = None
    bare = tmp_path / "bare.dcm"
    pydicom.dcmwrite(bare, whole, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert bare.read_bytes()[128:132] != b"DICM"
    (scan,) = read_dicom(bare, Reading(window=Window("fixed", low=0, high=1000)))
    assert np.abs(scan.pixels[:, :, 0] - expected_grey(values, 0, 1000)).max() <= 1
