from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from tumorlens.datasets.brats import list_brats
from tumorlens.datasets.nifti_masks import MaskOptions
from tumorlens.datasets.nifti_source import read_nifti_source
from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError
from tumorlens.progress import SILENT
from tumorlens.scans import Reading
from tumorlens.scans.files import all_files

OLD = ("flair", "t1", "t1ce", "t2")
NEW = ("t2f", "t1n", "t1c", "t2w")


def case(folder: Path, name: str, *, mask: bool = True, suffix: str = ".nii.gz") -> None:
    """Empty files of one case."""
    dash, kinds = ("-", NEW) if name.startswith("BraTS-") else ("_", OLD)
    (folder / name).mkdir(parents=True)
    for kind in (*kinds, *(("seg",) if mask else ())):
        (folder / name / f"{name}{dash}{kind}{suffix}").touch()


@pytest.mark.parametrize(
    ("name", "suffix", "patient", "labels"),
    [
        ("Brats17_TCIA_201_1", ".nii.gz", "Brats17_TCIA_201_1", (1, 2, 4)),
        ("Brats18_2013_0_1", ".nii.gz", "Brats18_2013_0_1", (1, 2, 4)),
        ("BraTS19_CBICA_AAB_1", ".nii.gz", "BraTS19_CBICA_AAB_1", (1, 2, 4)),
        ("BraTS20_Training_001", ".nii", "BraTS20_Training_001", (1, 2, 4)),
        ("BraTS2021_00000", ".nii.gz", "BraTS2021_00000", (1, 2, 4)),
        ("BraTS-GLI-00000-001", ".nii.gz", "BraTS-GLI-00000", (1, 2, 3)),
        ("BraTS-MET-00012-000", ".nii.gz", "BraTS-MET-00012", ()),
        ("BraTS-PED-00003-000", ".nii.gz", "BraTS-PED-00003", ()),
    ],
)
@pytest.mark.parametrize(
    ("sequence", "place"), [("flair", 0), ("T2F", 0), ("t1", 1), ("t1c", 2), ("t1ce", 2), ("t2w", 3)]
)
def test_every_release_and_sequence(
    tmp_path: Path, name: str, suffix: str, patient: str, labels: tuple[int, ...], sequence: str, place: int
) -> None:
    case(tmp_path / "HGG", name, suffix=suffix)
    volumes, _ = list_brats(tmp_path, all_files(tmp_path), MaskOptions(layout="brats", sequence=sequence))
    dash, kind = ("-", NEW[place]) if name.startswith("BraTS-") else ("_", OLD[place])
    assert len(volumes) == 1
    assert volumes[0].source == f"HGG/{name}/{name}{dash}{kind}{suffix}"
    assert volumes[0].mask == tmp_path / "HGG" / name / f"{name}{dash}seg{suffix}"
    assert (volumes[0].patient, volumes[0].mask_labels) == (patient, labels)


def test_time_points_are_one_patient(tmp_path: Path) -> None:
    for name in ("BraTS-GLI-00005-100", "BraTS-GLI-00005-101", "BraTS-GLI-00006-100"):
        case(tmp_path, name)
    volumes, notes = list_brats(tmp_path, all_files(tmp_path), MaskOptions(layout="brats"))
    assert [(v.patient, v.extra["timepoint"]) for v in volumes] == [
        ("BraTS-GLI-00005", "100"),
        ("BraTS-GLI-00005", "101"),
        ("BraTS-GLI-00006", "100"),
    ]
    assert notes[0] == "BraTS: 3 flair volumes of 2 patients (collection GLI)."
    assert "resection cavity" in notes[1]


def test_cases_without_a_mask_are_counted_and_labels_can_be_chosen(tmp_path: Path) -> None:
    case(tmp_path, "BraTS20_Training_001")
    case(tmp_path, "BraTS20_Validation_001", mask=False)
    options = MaskOptions(layout="brats", labels=(4,))
    volumes, notes = list_brats(tmp_path, all_files(tmp_path), options)
    assert [volume.mask_labels for volume in volumes] == [(4,)]
    first = "BraTS20_Validation_001/BraTS20_Validation_001_flair.nii.gz"
    assert notes[1] == f"1 volumes without a mask were left out (the first: {first})."


def test_an_oddly_named_mask_is_found_in_its_case(tmp_path: Path) -> None:
    case(tmp_path, "BraTS20_Training_355", mask=False, suffix=".nii")
    odd = tmp_path / "BraTS20_Training_355" / "W39_1998.09.19_Segm.nii"
    odd.touch()
    volumes, _ = list_brats(tmp_path, all_files(tmp_path), MaskOptions(layout="brats"))
    assert volumes[0].mask == odd


def test_collections_whose_values_are_not_settled_say_so(tmp_path: Path) -> None:
    case(tmp_path, "BraTS-MET-00012-000")
    _, notes = list_brats(tmp_path, all_files(tmp_path), MaskOptions(layout="brats"))
    assert notes[1].startswith("In the collection MET all mask values above 0 count")


def test_what_is_no_brats_folder(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").touch()
    files = all_files(tmp_path)
    with pytest.raises(InputError, match="no BraTS case with flair"):
        list_brats(tmp_path, files, MaskOptions(layout="brats"))
    with pytest.raises(InputError, match=r"flair \(t2f\), t1 \(t1n\).*'pd'"):
        list_brats(tmp_path, files, MaskOptions(layout="brats", sequence="pd"))


def save_case(folder: Path, name: str, values: np.ndarray, marks: np.ndarray) -> None:
    (folder / name).mkdir(parents=True)
    for kind, data in (("t2f", values), ("t1c", values // 2), ("seg", marks)):
        image = nibabel.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0]))
        image.to_filename(folder / name / f"{name}-{kind}.nii.gz")


def test_a_folder_becomes_scans_of_patients(tmp_path: Path) -> None:
    values = np.zeros((24, 24, 5), np.int16)
    values[4:20, 4:20] = np.random.default_rng(1).integers(200, 900, (16, 16, 5))
    marks = np.zeros(values.shape, np.uint8)
    marks[6:12, 6:12, 1], marks[6:12, 6:12, 2], marks[6:8, 6:8, 3] = 3, 4, 1  # enhancing, cavity, too little
    save_case(tmp_path, "BraTS-GLI-00001-000", values, marks)
    save_case(tmp_path, "BraTS-GLI-00001-001", values, np.zeros_like(marks))
    source = read_nifti_source(
        tmp_path, LabelOptions(), reading=Reading(), masks=MaskOptions(layout="brats"), progress=SILENT
    )
    assert {row.patient for row in source.rows} == {"BraTS-GLI-00001"}
    assert {row.extra["timepoint"] for row in source.rows} == {"000", "001"}
    labels = {row.source[-3:]: row.label for row in source.rows if "000-t2f" in row.source}
    assert labels == {"z=0": "no_tumor", "z=1": "tumor", "z=2": "no_tumor", "z=4": "no_tumor"}
    scans = [load() for load in source.loaders()]
    marked = [scan.mask for scan in scans[:2]]
    assert marked[1] is not None
    assert marked[1].sum() == 36
    assert marked[1][6:12, 6:12].all(), "LPS pictures lie as their arrays do, turned over the diagonal"
    assert scans[0].receipt[0] == "reoriented=LPS to RAS"


@pytest.mark.parametrize(
    ("options", "masks"),
    [
        (LabelOptions(group_column="who"), MaskOptions(layout="brats")),
        (LabelOptions(label_column="who"), MaskOptions(layout="brats")),
        (LabelOptions(labels=Path("a.csv")), MaskOptions(layout="brats")),
        (LabelOptions(), MaskOptions(layout="brats", pattern="{stem}.nii")),
        (LabelOptions(), MaskOptions(layout="other")),
    ],
)
def test_a_layout_goes_alone(tmp_path: Path, options: LabelOptions, masks: MaskOptions) -> None:
    case(tmp_path, "BraTS20_Training_001")
    with pytest.raises(InputError, match="--layout brats"):
        read_nifti_source(tmp_path, options, reading=Reading(), masks=masks, progress=SILENT)
