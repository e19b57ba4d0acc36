"""Files and folders become units; each scan is answered or refused by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tumorlens.errors import NotFoundError
from tumorlens.scans import Reading, Scan, scan_units
from tumorlens.scans.dicom import dicomdir
from tumorlens.scans.units import ALONE_MARK, Refusal

MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"


def save_slice(path: Path, *, z: int, series: str = "s", description: str = "AX T2", **elements: Any) -> Path:
    """A slice of 16x16, the brighter the higher it lies."""
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = MR_STORAGE, generate_uid(entropy_srcs=[str(path)])
    header.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    header.SeriesInstanceUID = generate_uid(entropy_srcs=[series])
    header.PatientID, header.Modality, header.SeriesDescription = "P1", "MR", description
    header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 5.0 * z]
    header.Rows = header.Columns = 16
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    values = np.random.default_rng(z).integers(0, 200 * (z + 1), (16, 16))
    header.PixelData = values.astype("<u2").tobytes()
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = MR_STORAGE
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)
    return path


def read(*paths: Path, reading: Reading | None = None) -> tuple[list[Scan | Refusal], tuple[str, ...]]:
    listed = scan_units(paths, reading or Reading())
    return [item for unit in listed.units for item in unit.read()], listed.notes


def test_a_damaged_slice_does_not_end_its_series(tmp_path: Path) -> None:
    for z in range(4):
        save_slice(tmp_path / f"{z}.dcm", z=z, **({"RescaleSlope": 0, "RescaleIntercept": 0} if z == 1 else {}))
    items, _ = read(tmp_path)
    assert [Path(item.source).name for item in items] == ["0.dcm", "1.dcm", "2.dcm", "3.dcm"]
    assert [isinstance(item, Refusal) for item in items] == [False, True, False, False]
    assert isinstance(items[1], Refusal) and "rescale slope" in items[1].reason


def test_a_series_that_does_not_fit_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    save_slice(tmp_path / "study" / "0", z=0)
    Image.new("L", (8, 8), 90).save(tmp_path / "a.png")
    (refused, picture), _ = read(tmp_path / "study", tmp_path / "a.png", reading=Reading(plane="coronal"))
    assert isinstance(refused, Refusal) and "No slice is coronal" in refused.reason
    assert isinstance(picture, Scan)


def test_what_is_left_out_of_a_folder_is_said(tmp_path: Path) -> None:
    save_slice(tmp_path / "0", z=0)
    save_slice(tmp_path / "scout", z=0, series="l", description="localizer")
    save_slice(tmp_path / "cor", z=0, series="c", ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    items, notes = read(tmp_path)
    assert len(items) == 1
    assert notes == (
        f"{tmp_path}: 1 localizers were left out.",
        f"{tmp_path}: 1 slices of other planes than axial were left out.",
    )
    (refused,), _ = read(tmp_path / "scout")
    assert isinstance(refused, Refusal) and "is a localizer" in refused.reason


def test_a_series_gives_the_same_pixels_however_it_is_named(tmp_path: Path) -> None:
    files = [save_slice(tmp_path / f"{z}.dcm", z=z) for z in range(3)]
    whole, single = read(tmp_path)[0], read(*reversed(files))[0]
    for one, other in zip(whole, single, strict=True):
        assert isinstance(one, Scan) and isinstance(other, Scan) and one.source == other.source
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert [unit.marks for unit in scan_units(files, Reading()).units] == [()]


def test_a_slice_without_its_series_is_marked(tmp_path: Path) -> None:
    file = save_slice(tmp_path / "0.dcm", z=0)
    assert scan_units([file], Reading()).units[0].marks == (ALONE_MARK,)
    assert scan_units([tmp_path], Reading()).units[0].marks == ()


def test_named_dicom_files_stand_at_the_place_of_the_first(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("L", (8, 8), 90).save(tmp_path / name)
    files = [save_slice(tmp_path / f"{z}.dcm", z=z) for z in range(2)]
    items, _ = read(tmp_path / "a.png", files[0], tmp_path / "b.png", files[1])
    assert [Path(item.source).name for item in items] == ["a.png", "0.dcm", "1.dcm", "b.png"]


def test_a_dicomdir_gives_the_files_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_slice(tmp_path / "IM1", z=1)
    save_slice(tmp_path / "IM2", z=2)
    (tmp_path / "DICOMDIR").write_bytes(b"x")
    monkeypatch.setattr(dicomdir, "_image_references", lambda path, limits: [["IM1"], ["IM3"]])
    items, notes = read(tmp_path / "DICOMDIR")
    assert [item.source for item in items] == [str(tmp_path / "IM1")]
    assert notes == (f"{tmp_path / 'DICOMDIR'}: 1 files that it names are missing.",)
    monkeypatch.undo()
    (refused,), _ = read(tmp_path / "DICOMDIR")
    assert isinstance(refused, Refusal) and "no readable DICOMDIR" in refused.reason


def test_the_series_of_the_model_are_read_below_folders(tmp_path: Path) -> None:
    flair = save_slice(tmp_path / "f", z=0, series="f", description="AX FLAIR")
    other = save_slice(tmp_path / "t", z=0, series="t", description="AX T2")
    reading = Reading(series="sequence=FLAIR")
    assert [item.source for item in read(tmp_path, reading=reading)[0]] == [str(flair)]
    assert [item.source for item in read(other, reading=reading)[0]] == [str(other)]


@pytest.mark.parametrize("mask", ["a_seg.nii.gz", "a-seg.nii", "a_mask.nii", "labels.nii", "a.label.nii"])
def test_masks_beside_volumes_are_left_out(tmp_path: Path, mask: str) -> None:
    values = np.random.default_rng(0).integers(300, 900, (16, 16, 2)).astype(np.int16)
    for name in ("a.nii", "dataset.nii", mask):
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / name)
    items, notes = read(tmp_path)
    assert {Path(item.source).name.partition("#")[0] for item in items} == {"a.nii", "dataset.nii"}
    assert notes == (f"{tmp_path}: 1 files named as masks (seg, mask, label) were left out.",)
    for name in ("a.nii", "dataset.nii"):
        (tmp_path / name).unlink()
    with pytest.raises(NotFoundError, match="named as masks"):
        read(tmp_path)
