from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import RLELossless

from tumorlens.errors import InputError
from tumorlens.scans import Reading, Window
from tumorlens.scans.dicom import SeriesReader, index_dicom, read_dicom, read_series, select_series

Writer = Callable[..., Path]
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)
SMALL = np.arange(64, dtype=np.uint16).reshape(8, 8)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(6)), st.booleans())
def test_a_shuffled_series_comes_out_in_spatial_order(
    tmp_path: Path, write_dicom: Writer, order: list[int], numbered: bool
) -> None:
    files = [
        write_dicom(tmp_path / f"IM{place}.dcm", SMALL, z=3.5 * z - 9, number=place if numbered else None)
        for place, z in enumerate(order)
    ]
    (series,) = index_dicom(files).series
    assert [item.position for item in series.slices] == [3.5 * z - 9 for z in range(6)]
    assert [item.path for item in series.slices] == [files[order.index(z)] for z in range(6)]


def test_without_positions_the_number_decides_then_the_name(tmp_path: Path, write_dicom: Writer) -> None:
    numbers = [10, 2, 7]
    files = [
        write_dicom(tmp_path / f"a{place}.dcm", SMALL, orientation=None, number=number)
        for place, number in enumerate(numbers)
    ]
    (series,) = index_dicom(files).series
    assert [item.number for item in series.slices] == [2, 7, 10]
    files = [
        write_dicom(tmp_path / f"b{name}.dcm", SMALL, series="s2", orientation=None, number=None) for name in (10, 9, 2)
    ]
    (series,) = index_dicom(files).series
    assert [item.path.name for item in series.slices] == ["b2.dcm", "b9.dcm", "b10.dcm"]


def test_series_are_told_apart_by_identity_orientation_and_size(tmp_path: Path, write_dicom: Writer) -> None:
    jitter = (1.0, 1e-5, 0.0, 0.0, 0.99999, 0.0)
    kinds = {
        "a1": {},
        "a2": {"z": 5.0, "orientation": jitter},
        "b1": {"series": "s2"},
        "c1": {"orientation": CORONAL},
        "p1": {"patient": "Bert"},
    }
    files = [write_dicom(tmp_path / f"{name}.dcm", SMALL, **kind) for name, kind in kinds.items()]
    files.append(write_dicom(tmp_path / "d1.dcm", np.zeros((4, 8), np.uint16)))
    found = {tuple(item.path.stem for item in series.slices) for series in index_dicom(files).series}
    assert found == {("a1", "a2"), ("b1",), ("c1",), ("p1",), ("d1",)}


def test_picture_that_ends_within_its_header_is_no_object_without_pictures(tmp_path: Path, write_dicom: Writer) -> None:
    file = write_dicom(tmp_path / "cut.dcm", SMALL)
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.index(b"\x28\x00\x10\x00")])  # up to Rows
    index = index_dicom([file])
    assert index.count("non-image") == 0
    (unreadable,) = index.unreadable
    assert "cut.dcm is truncated (it ends within its header)" in unreadable.reason


def test_localizers_and_objects_without_pictures_are_left_out_and_counted(tmp_path: Path, write_dicom: Writer) -> None:
    left_out = {
        "scout1.dcm": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        "scout2.dcm": {"SeriesDescription": "3-plane Localizer"},
        "scout3.dcm": {"SeriesDescription": "AAHScout_32"},
        "scout4.dcm": {"SeriesDescription": "LOC 1"},
        "report.dcm": {"Modality": "SR", "PixelData": None, "Rows": None},
        "mask.dcm": {"Modality": "SEG"},
        "kept.dcm": {"SeriesDescription": "T1 localized block"},
    }
    files = []
    for name, extra in left_out.items():
        removed = [keyword for keyword, value in extra.items() if value is None]
        files.append(write_dicom(tmp_path / name, SMALL, extra={k: v for k, v in extra.items() if v is not None}))
        if removed:
            _remove(files[-1], removed)
    (tmp_path / "notes.txt").write_text("not DICOM at all")
    (tmp_path / "empty.dcm").write_bytes(b"")
    index = index_dicom([*files, tmp_path / "notes.txt", tmp_path / "empty.dcm"])
    assert index.count("localizer") == 4
    assert index.count("non-image") == 2
    assert index.other_files == 2
    assert [item.path.name for series in index.series for item in series.slices] == ["kept.dcm"]
    with pytest.raises(InputError, match="is a localizer"):
        read_dicom(files[0])
    with pytest.raises(InputError, match="is a DICOM object without pictures"):
        read_dicom(files[4])


def _remove(file: Path, keywords: list[str]) -> None:
    import pydicom

    dataset = pydicom.dcmread(file)
    for keyword in keywords:
        del dataset[keyword]
    dataset.save_as(file)


def test_copies_are_left_out_but_not_other_pixels_under_the_same_identity(tmp_path: Path, write_dicom: Writer) -> None:
    first = write_dicom(tmp_path / "a" / "1.dcm", SMALL)
    import pydicom

    uid = str(pydicom.dcmread(first).SOPInstanceUID)
    copy = write_dicom(tmp_path / "b" / "2.dcm", SMALL, extra={"SOPInstanceUID": uid})
    other = write_dicom(tmp_path / "b" / "3.dcm", SMALL + 1, extra={"SOPInstanceUID": uid})
    index = index_dicom([first, copy, other])
    assert index.count("copy") == 1
    assert index.shared_uids == 1
    assert sorted(item.path.name for item in index.series[0].slices) == ["1.dcm", "3.dcm"]
    apart = index_dicom([first, copy, other], compartment=lambda path: path.parent.name)
    assert apart.count("copy") == 0
    assert len(apart.series[0].slices) == 3


def test_files_without_identifiers_are_kept_apart_by_patient(tmp_path: Path, write_dicom: Writer) -> None:
    silent = {"StudyInstanceUID": None, "SeriesInstanceUID": None}
    files = [
        write_dicom(tmp_path / f"{patient}{z}.dcm", SMALL, patient=patient, z=z, extra=silent)
        for patient in "ab"
        for z in range(2)
    ]
    found = [[item.path.stem for item in series.slices] for series in index_dicom(files).series]
    assert found == [["a0", "a1"], ["b0", "b1"]]


@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_frames_of_an_enhanced_file_are_slices_with_their_own_rescale_and_window(
    tmp_path: Path, write_dicom: Writer, syntax: object
) -> None:
    places = [4.0, -2.0, 10.0, 1.0]
    frames = [
        {"z": z, "slope": 2.0, "intercept": -100.0 * place, "center": 500.0 + place, "width": 800.0}
        for place, z in enumerate(places)
    ]
    stack = np.stack([np.full((16, 16), 200 + 50 * place, np.uint16) for place in range(4)])
    options = {} if syntax is None else {"syntax": syntax}
    file = write_dicom(tmp_path / "a.dcm", stack, frames=frames, **options)
    (series,) = index_dicom([file]).series
    order = [1, 3, 0, 2]
    assert [item.frame for item in series.slices] == order
    assert [item.position for item in series.slices] == [places[place] for place in order]
    assert series.plane == "axial"
    scans = list(read_series(series, Reading(window=Window("fixed", low=0, high=1000))))
    expected = [round((2 * (200 + 50 * place) - 100 * place) * 0.255) for place in order]
    assert [int(scan.pixels[0, 0, 0]) for scan in scans] == pytest.approx(expected, abs=1)
    assert scans[0].receipt == ("rescale=2,-100", "window=fixed:0..1000")
    assert scans[0].facts["slice_position_mm"] == "-2.00"
    shown = list(read_series(series, Reading(window=Window("dicom"))))
    assert shown[0].receipt[1] == "window=dicom:1:linear:501,800"


def test_classic_frames_without_positions_keep_their_order(tmp_path: Path, write_dicom: Writer) -> None:
    stack = np.stack([np.full((8, 8), 10 * place, np.uint8) for place in range(12)])
    file = write_dicom(tmp_path / "a.dcm", stack)
    scans = list(read_dicom(file, Reading(window=Window("fixed", low=0, high=255))))
    assert [int(scan.pixels[0, 0, 0]) for scan in scans] == [10 * place for place in range(12)]


def test_a_file_is_checked_at_once_and_decoded_slice_by_slice(
    tmp_path: Path, write_dicom: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    monkeypatch.setattr(SeriesReader, "read", lambda self, item: decoded.append(item.frame))
    stack = np.stack([SMALL, SMALL, SMALL])
    scans = read_dicom(write_dicom(tmp_path / "a.dcm", stack))
    assert decoded == []
    next(scans)
    assert decoded == [0]
    with pytest.raises(InputError, match="No slice is coronal"):
        read_dicom(tmp_path / "a.dcm", Reading(plane="coronal"))


@pytest.mark.parametrize(
    ("orientation", "plane"),
    [((1, 0, 0, 0, 1, 0), "axial"), (CORONAL, "coronal"), ((0, 1, 0, 0, 0, -1), "sagittal"), (OBLIQUE, "axial")],
)
def test_planes_are_the_nearest(tmp_path: Path, write_dicom: Writer, orientation: tuple, plane: str) -> None:
    file = write_dicom(tmp_path / "a.dcm", SMALL, orientation=orientation)
    (series,) = index_dicom([file]).series
    assert series.plane == plane
    assert next(read_dicom(file, Reading(plane=plane))).facts["plane"] == plane
    other = "coronal" if plane != "coronal" else "axial"
    with pytest.raises(InputError, match=f"No slice is {other}; there are MR T2 AXIAL {plane}|No slice is {other}"):
        read_dicom(file, Reading(plane=other))


def test_damaged_files_are_named_and_the_rest_is_read(tmp_path: Path, write_dicom: Writer) -> None:
    files = [write_dicom(tmp_path / f"{z}.dcm", SMALL, z=z) for z in range(3)]
    files[1].write_bytes(files[1].read_bytes()[:-100])
    index = index_dicom(files)
    assert len(index.series[0].slices) == 3
    cut = files[2].read_bytes().rindex(b"\xe0\x7f\x10\x00")
    files[2].write_bytes(files[2].read_bytes()[:cut])
    index = index_dicom(files)
    assert len(index.series[0].slices) == 2
    assert [file.path for file in index.unreadable] == [files[2]]
    with pytest.raises(InputError, match=r"1\.dcm is truncated \(28 bytes of pixels, expected 128\)"):
        list(read_series(select_series(index.series, Reading()).series[0]))


def test_the_order_of_files_does_not_change_the_index(tmp_path: Path, write_dicom: Writer) -> None:
    files = [
        write_dicom(tmp_path / f"{patient}{z}.dcm", SMALL, patient=patient, z=z) for patient in "ab" for z in range(4)
    ]

    def found() -> list[list[Path]]:
        return sorted([item.path for item in series.slices] for series in index_dicom(files).series)

    expected = found()
    random.Random(3).shuffle(files)
    assert len(expected) == 2
    assert found() == expected
