from __future__ import annotations

import gzip
import itertools
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tumorlens.errors import InputError, NotFoundError, TumorlensError
from tumorlens.scans import ReadLimits, parse_window
from tumorlens.scans.nifti import read_volume

ORIENTATIONS = [
    "".join(letters) for pairs in itertools.permutations(["RL", "AP", "SI"]) for letters in itertools.product(*pairs)
]
SPACED = np.array([[0.9, 0, 0, -40], [0, 1.1, 0, 12], [0, 0, 3.0, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_all_48_orientations_become_ras_as_nibabel_has_it(
    tmp_path: Path, ramp: Any, write_volume: Callable[..., Path], stored_as: Callable[..., Any], codes: str
) -> None:
    tilt = np.eye(4)
    tilt[:3, :3] = [[0.99, -0.1, 0.05], [0.1, 0.98, -0.12], [-0.04, 0.12, 0.99]]
    values, affine = stored_as(ramp, SPACED @ tilt, codes)
    file = write_volume(tmp_path / "a.nii.gz", values, affine)
    volume = read_volume(file)
    expected = nibabel.as_closest_canonical(nibabel.load(file))
    np.testing.assert_array_equal(volume.voxels, expected.dataobj)
    np.testing.assert_array_equal(volume.voxels, ramp)
    np.testing.assert_allclose(volume.affine, expected.affine, atol=1e-9)
    assert volume.stored == codes


def test_there_are_48() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["u1", "i1", ">i2", "u2", "<i4", "u4", "i8", "u8", "f4", ">f8"])
def test_values_equal_nibabels(
    tmp_path: Path, write_volume: Callable[..., Path], version: int, suffix: str, dtype: str
) -> None:
    kind = np.dtype(dtype)
    values = np.random.default_rng(1).integers(0, 100, (4, 3, 5)).astype(kind)
    file = write_volume(tmp_path / f"a{suffix}", values, version=version, scaling=(0.25, -3.0))
    volume = read_volume(file)
    picture = volume.slice_values("axial", 2)
    expected = np.asarray(nibabel.load(file).get_fdata()[:, :, 2])
    np.testing.assert_allclose(picture, expected.T[::-1, ::-1], rtol=1e-6)
    assert picture.dtype == (np.float64 if dtype in ("<i4", "u4", "i8", "u8", ">f8") else np.float32)
    np.testing.assert_allclose(picture[-1, -1], values[0, 0, 2] * 0.25 - 3.0)
    assert volume.voxels.dtype.newbyteorder("=") == kind.newbyteorder("=")


def test_slices_lie_as_they_are_shown(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    values = np.zeros((3, 4, 5), np.int16)
    values[2, 1, 1], values[1, 3, 1], values[1, 1, 4] = 1, 2, 3  # to the right, to the front, at the top
    volume = read_volume(write_volume(tmp_path / "a.nii", values))
    axial, coronal = volume.slice_values("axial", 1), volume.slice_values("coronal", 1)
    sagittal = volume.slice_values("sagittal", 1)
    assert (axial.shape, coronal.shape, sagittal.shape) == ((4, 3), (5, 3), (5, 4))
    assert axial[2, 0] == 1, "the patient's right is on the left of the picture"
    assert axial[0, 1] == 2, "the front is at the top"
    assert coronal[3, 0] == 1
    assert coronal[0, 1] == 3, "the top of the head is at the top"
    assert sagittal[3, 0] == 2, "the front is on the left"
    assert sagittal[0, 2] == 3


def test_places_and_spacings_are_millimetres(tmp_path: Path, ramp: Any, write_volume: Callable[..., Path]) -> None:
    file = write_volume(tmp_path / "a.nii", ramp, SPACED)
    volume = read_volume(file)
    assert volume.spacing_mm == pytest.approx((0.9, 1.1, 3.0))
    assert volume.pixel_spacing_mm("axial") == pytest.approx((1.1, 0.9))
    assert volume.pixel_spacing_mm("sagittal") == pytest.approx((3.0, 1.1))
    assert volume.slice_position_mm("axial", 2) == pytest.approx(13.0)
    assert volume.slice_position_mm("sagittal", 0) == pytest.approx(-40.0)
    image = nibabel.load(file)
    image.header.set_xyzt_units("micron")
    image.to_filename(tmp_path / "b.nii")
    assert read_volume(tmp_path / "b.nii").spacing_mm == pytest.approx((9e-4, 1.1e-3, 3e-3))


def test_the_first_of_several_volumes_is_read(tmp_path: Path, ramp: Any, write_volume: Callable[..., Path]) -> None:
    for suffix in (".nii", ".nii.gz"):
        file = write_volume(tmp_path / f"a{suffix}", np.stack([ramp, -ramp, ramp], axis=3))
        volume = read_volume(file)
        assert volume.volumes == 3
        np.testing.assert_array_equal(volume.voxels, ramp)


def test_a_file_that_does_not_say_how_it_lies_is_marked(tmp_path: Path, ramp: Any) -> None:
    image = nibabel.Nifti1Image(ramp, None)
    image.header.set_sform(None, 0)
    image.header.set_qform(None, 0)
    image.to_filename(tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert not volume.oriented
    assert volume.stored == "".join(nibabel.aff2axcodes(nibabel.load(tmp_path / "a.nii").affine)) == "LAS"


def test_the_grey_range_depends_on_values_alone(
    tmp_path: Path, write_volume: Callable[..., Path], stored_as: Callable[..., Any]
) -> None:
    values = np.random.default_rng(2).normal(300, 80, (9, 8, 7)).astype(np.float32)
    first = read_volume(write_volume(tmp_path / "a.nii", values))
    turned = read_volume(write_volume(tmp_path / "b.nii", *stored_as(values, np.eye(4), "SPL")))
    low, high = first.grey_range(parse_window("percentiles"))
    assert turned.grey_range(parse_window("percentiles")) == (low, high)
    assert low == pytest.approx(np.percentile(values, 0.5))
    head = values[values > low + 0.1 * (np.percentile(values, 99.5) - low)]
    assert high == pytest.approx(np.percentile(head, 99.5), rel=1e-6)
    assert first.grey_range(parse_window("-10,90")) == (-10, 90)
    with pytest.raises(InputError, match="--window dicom"):
        first.grey_range(parse_window("dicom"))


def header_of(path: Path, **fields: Any) -> bytes:
    """The bytes of a file with some header fields replaced."""
    data = path.read_bytes()
    header = nibabel.Nifti1Header(data[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + data[348:]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dim": [3, 0, 6, 7, 1, 1, 1, 1]}, "no voxels"),
        ({"dim": [3, -5, 6, 7, 1, 1, 1, 1]}, "no voxels"),
        ({"dim": [2, 5, 6, 1, 1, 1, 1, 1]}, "5x6, expected a volume with 3 axes"),
        ({"dim": [5, 5, 6, 7, 1, 2, 1, 1]}, "expected a volume with 3 axes"),
        ({"dim": [3, 5, 6, 8, 1, 1, 1, 1]}, "truncated"),
        ({"dim": [3, 6000, 6, 7, 1, 1, 1, 1]}, "frames"),
        ({"dim": [3, 4000, 4000, 4000, 1, 1, 1, 1]}, "the limit for one file"),
        ({"datatype": 128}, "colours"),
        ({"datatype": 32}, "complex"),
        ({"datatype": 1}, "single bits"),
        ({"datatype": 999}, "unknown type 999"),
        ({"magic": b"ni1"}, "pair"),
        ({"magic": b"xyz"}, "not a NIfTI file"),
        ({"magic": b""}, "not a NIfTI file"),
        ({"sizeof_hdr": 12}, "not a NIfTI file"),
        ({"vox_offset": np.nan}, "start at byte nan"),
        ({"vox_offset": np.inf}, "start at byte inf"),
        ({"vox_offset": -352}, "vox offset -352 too low"),
        ({"vox_offset": 12}, "vox offset 12 too low"),
        ({"vox_offset": 1e9}, "the limit for one file"),
        ({"vox_offset": 4000}, "truncated"),
        ({"scl_inter": np.nan}, "scaling"),
        ({"srow_x": [0, 0, 0, 0]}, "how it lies"),
        ({"srow_x": [np.nan, 0, 0, 0]}, "how it lies"),
        ({"srow_y": [np.inf, 1, 0, 0]}, "how it lies"),
        ({"srow_y": [1, 0, 0, 0]}, "how it lies"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": 3.0}, "how it lies"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": np.nan}, "how it lies"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_a_header_must_not_say(
    tmp_path: Path, ramp: Any, write_volume: Callable[..., Path], fields: dict[str, Any], reason: str, packed: bool
) -> None:
    data = header_of(write_volume(tmp_path / "good.nii", ramp), **fields)
    file = tmp_path / "bad.nii.gz"
    file.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(InputError, match=reason) as caught:
        read_volume(file)
    assert "\n" not in str(caught.value)
    assert "bad.nii.gz" in str(caught.value)


def test_nothing_and_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.nii").touch()
    (tmp_path / "text.nii.gz").write_text("not a volume at all, " * 40)
    (tmp_path / "pair.hdr").write_bytes(bytes(348))
    (tmp_path / "folder.nii").mkdir()
    for name in ("empty.nii", "text.nii.gz", "pair.hdr", "folder.nii"):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read_volume(tmp_path / name)
    with pytest.raises(NotFoundError):
        read_volume(tmp_path / "none.nii")


def test_a_bomb_stops_at_the_size_its_header_gives(tmp_path: Path, ramp: Any, write_volume: Any) -> None:
    data = write_volume(tmp_path / "good.nii", ramp).read_bytes()
    bomb = tmp_path / "bomb.nii.gz"
    bomb.write_bytes(gzip.compress(data + bytes(25_000_000)))
    tracemalloc.start()
    np.testing.assert_array_equal(read_volume(bomb).voxels, ramp)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_header_that_promises_too_much_for_its_file_is_refused(
    tmp_path: Path, ramp: Any, write_volume: Callable[..., Path]
) -> None:
    good = write_volume(tmp_path / "good.nii", ramp)
    file = tmp_path / "bomb.nii.gz"
    file.write_bytes(gzip.compress(header_of(good, dim=[3, 500, 500, 500, 1, 1, 1, 1])))
    with pytest.raises(InputError, match="decompression bomb"):
        read_volume(file)
    with pytest.raises(InputError, match="the limit for one scan"):
        read_volume(good, limits=ReadLimits(pixels=30))
    with pytest.raises(InputError, match="the limit for one file"):
        read_volume(good, limits=ReadLimits(file_bytes=100))


def test_memory_stays_at_the_volume_as_stored(tmp_path: Path, write_volume: Callable[..., Path]) -> None:
    values = np.zeros((128, 128, 64), np.int16)
    file = write_volume(tmp_path / "a.nii.gz", values)
    read_volume(file)  # imports
    tracemalloc.start()
    volume = read_volume(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert volume.voxels.nbytes == values.nbytes
    assert peak < values.nbytes + 2_000_000


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_headers_give_a_volume_or_one_sentence(
    tmp_path: Path, ramp: npt.NDArray[np.int16], write_volume: Callable[..., Path], places: list[tuple[int, int]]
) -> None:
    file = tmp_path / "a.nii"
    data = bytearray(write_volume(file, ramp).read_bytes())
    for place, value in places:
        data[place] = value
    file.write_bytes(data)
    try:
        volume = read_volume(file)
        low, high = volume.grey_range(parse_window("percentiles"))
        assert high > low
        assert np.isfinite(volume.affine).all()
    except TumorlensError as error:
        assert "\n" not in str(error)


def test_sizes_of_nifti_2_beyond_all_bounds(tmp_path: Path, ramp: Any, write_volume: Callable[..., Path]) -> None:
    file = write_volume(tmp_path / "a.nii", ramp, version=2)
    data = bytearray(file.read_bytes())
    data[16:48] = struct.pack("<4q", 3, 2**62, 2**62, 2**62)
    file.write_bytes(data)
    with pytest.raises(InputError, match="frames"):
        read_volume(file)
