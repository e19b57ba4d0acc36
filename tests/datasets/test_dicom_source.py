from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tumorlens.datasets.dicom_source import read_dicom_source
from tumorlens.datasets.patient_hash import hash_patient
from tumorlens.datasets.source import LabelOptions, ScanSource
from tumorlens.errors import InputError
from tumorlens.progress import SILENT
from tumorlens.scans import Reading, Window, quiet_decoding
from tumorlens.scans.dicom import FACT_COLUMNS

KEY = bytes(32)
SMALL = np.arange(64, dtype=np.uint16).reshape(8, 8)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def _writers() -> ModuleType:
    place = Path(__file__).parents[1] / "scans" / "dicom" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dicom_writers", place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_MODULE = _writers()
save_dicom: Callable[..., Path] = _MODULE.save_dicom
make_uid: Callable[[str], str] = _MODULE.make_uid


def source_of(path: Path, *, reading: Reading | None = None, **options: Any) -> ScanSource:
    return read_dicom_source(path, LabelOptions(**options), reading=reading or Reading(), key=KEY, progress=SILENT)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Two classes, two patients each, three slices a patient, stored against their order."""
    folder = tmp_path / "scans"
    for label, patients in (("healthy", ("Anna", "Bert")), ("tumor", ("Carl", "Dora"))):
        for patient in patients:
            for z in range(3):
                values = SMALL + 10 * z
                save_dicom(folder / label / patient / f"IM{2 - z}", values, patient=patient, z=4.0 * z, number=9 - z)
    return folder


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Two patients with two series of two slices each, in one folder."""
    folder = tmp_path / "flat"
    for patient in ("Anna", "Bert"):
        for series in ("s1", "s2"):
            for z in range(2):
                save_dicom(folder / f"{patient}_{series}_{z}.dcm", SMALL + z, patient=patient, series=series, z=z)
    return folder


def test_folders_that_look_like_patients_are_pointed_out(tmp_path: Path, classes: Path) -> None:
    for patient in ("Anna", "Bert"):
        save_dicom(tmp_path / "people" / patient / "a.dcm", SMALL, patient=patient)
    said = "Each of the 2 class folders holds one patient"
    assert any(note.startswith(said) for note in source_of(tmp_path / "people").notes)
    assert not any("class folders holds one patient" in note for note in source_of(classes).notes)


def write_table(path: Path, columns: dict[str, list[str]]) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_class_folders_give_labels_hashed_patients_and_slices_in_order(classes: Path) -> None:
    source = source_of(classes)
    assert [row.source for row in source.rows[:4]] == [
        "healthy/Anna/IM2",
        "healthy/Anna/IM1",
        "healthy/Anna/IM0",
        "healthy/Bert/IM2",
    ]
    assert [row.label for row in source.rows] == ["healthy"] * 6 + ["tumor"] * 6
    assert [row.patient for row in source.rows[::3]] == [
        hash_patient(name, KEY) for name in ("Anna", "Bert", "Carl", "Dora")
    ]
    assert source.from_volumes
    assert source.notes[0] == "DICOM: 12 slices of 4 patients in 4 series were found."
    assert "Class folders: healthy, tumor." in source.notes
    for row in source.rows:
        assert tuple(row.extra) == FACT_COLUMNS
    assert [row.extra["slice_position_mm"] for row in source.rows[:3]] == ["0.00", "4.00", "8.00"]


def test_nothing_of_a_header_but_coded_facts_gets_out(classes: Path) -> None:
    source = source_of(classes)
    scans = [load() for load in source.loaders()]
    written = " ".join(
        [
            *source.notes,
            *(f"{row.label} {row.patient} {row.extra}" for row in source.rows),
            *(f"{scan.receipt} {scan.facts} {scan.mode} {scan.format}" for scan in scans),
        ]
    )
    for secret in ("Anna", "Carl", "Secret", "1960", "1.2.826", "AX T2"):
        assert secret not in written


def test_loaders_read_each_row_with_the_range_of_its_series(classes: Path) -> None:
    source = source_of(classes)
    scans = [load() for load in source.loaders()]
    assert len(scans) == len(source.rows)
    for row, scan in zip(source.rows, scans, strict=True):
        assert scan.source.endswith(row.source)
        assert dict(scan.facts) == row.extra
    assert len({scan.receipt for scan in scans[:3]}) == 1
    means = [scan.pixels.mean() for scan in scans[:3]]
    assert means == sorted(means)
    assert means[2] > means[0] + 20


def test_loaders_may_be_called_from_several_threads(classes: Path) -> None:
    source = source_of(classes)
    expected = [load().pixels for load in source.loaders()]
    barrier = threading.Barrier(4)

    def run(load: Callable[[], Any]) -> np.ndarray:
        barrier.wait(timeout=30)
        return load().pixels

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, source.loaders()))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_published_layout_is_kept_as_a_column(tmp_path: Path) -> None:
    for part in ("Training", "Testing"):
        for label in ("no", "yes"):
            save_dicom(tmp_path / part / label / "a.dcm", SMALL, patient=f"{part}{label}")
    source = source_of(tmp_path)
    assert sorted((row.label, row.extra["published_part"]) for row in source.rows) == [
        ("no", "test"),
        ("no", "train"),
        ("yes", "test"),
        ("yes", "train"),
    ]


def test_copies_across_classes_are_kept_and_within_one_left_out(classes: Path) -> None:
    original = classes / "healthy" / "Anna" / "IM0"
    (classes / "healthy" / "again").write_bytes(original.read_bytes())
    (classes / "tumor" / "again").write_bytes(original.read_bytes())
    source = source_of(classes)
    assert len(source.rows) == 13
    assert "Left out: 1 copies (same SOPInstanceUID and pixels)." in source.notes


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("file", lambda patient, series, z: f"{patient}_{series}_{z}.dcm"),
        ("Image", lambda patient, series, z: f"{patient}_{series}_{z}"),
        ("path", lambda patient, series, z: f"flat/{patient}_{series}_{z}.dcm"),
        ("uid", lambda patient, series, z: (patient, series, z)),
    ],
)
def test_a_table_may_name_files_or_images(flat: Path, column: str, name: Callable[..., Any]) -> None:
    names, labels = [], []
    for patient in ("Anna", "Bert"):
        for series in ("s1", "s2"):
            for z in range(2):
                value = name(patient, series, z)
                if isinstance(value, tuple):
                    value = make_uid(str(flat / f"{patient}_{series}_{z}.dcm"))
                names.append(value)
                labels.append(f"{patient[0]}{z}")
    table = write_table(flat.parent / "labels.csv", {column: names, "Class": labels})
    source = source_of(flat, labels=table)
    assert len(source.rows) == 8
    for row in source.rows:
        patient, _, z = row.source.removesuffix(".dcm").split("_")
        assert row.label == f"{patient[0]}{z}"
        assert row.patient == hash_patient(patient, KEY)
    kind = "SOPInstanceUIDs" if column == "uid" else "file names"
    assert f"labels.csv: column {column!r} was read as {kind}, 'Class' as the label." in source.notes


def test_a_table_may_name_series_or_patients_for_all_of_their_slices(flat: Path) -> None:
    uids = [make_uid(f"series {patient} {series}") for patient in ("Anna", "Bert") for series in ("s1", "s2")]
    table = write_table(flat.parent / "series.csv", {"series": uids, "label": ["a", "b", "c", "d"]})
    source = source_of(flat, labels=table)
    assert [row.label for row in source.rows] == ["a", "a", "b", "b", "c", "c", "d", "d"]
    table = write_table(flat.parent / "patients.csv", {"patient": ["Bert", "Anna"], "label": ["x", "y"], "age": [1, 2]})
    source = source_of(flat, labels=table, keep_columns=("age",))
    assert {(row.source[:4], row.label, row.extra["age"]) for row in source.rows} == {
        ("Anna", "y", "2"),
        ("Bert", "x", "1"),
    }
    assert any("was read as PatientIDs" in note for note in source.notes)


def test_a_table_beside_the_files_is_found(flat: Path) -> None:
    write_table(flat / "labels.csv", {"patient": ["Anna", "Bert"], "label": ["x", "y"]})
    source = source_of(flat)
    assert {row.label for row in source.rows} == {"x", "y"}
    assert not any("not DICOM" in note for note in source.notes)


def test_a_table_may_name_its_own_patients(flat: Path) -> None:
    table = write_table(flat.parent / "l.csv", {"patient": ["Anna", "Bert"], "label": ["x", "y"], "who": ["p1", "p2"]})
    source = source_of(flat, labels=table, group_column="who")
    assert {row.patient for row in source.rows} == {hash_patient(name, KEY) for name in ("p1", "p2")}


def test_a_column_of_patients_is_hashed_for_every_row(flat: Path) -> None:
    (flat / "bad.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    table = write_table(flat.parent / "l.csv", {"patient": ["Anna", "Bert"], "label": ["x", "y"]})
    source = source_of(flat, labels=table, image_column="patient", group_column="patient")
    assert {row.patient for row in source.rows} == {hash_patient(name, KEY) for name in ("Anna", "Bert")}
    assert len(source.rows) == 9


def test_copies_that_a_table_names_with_other_labels_are_kept(flat: Path) -> None:
    (flat / "again.dcm").write_bytes((flat / "Anna_s1_0.dcm").read_bytes())
    names = sorted(file.name for file in flat.iterdir())
    columns = {"file": names, "label": ["x" if name == "again.dcm" else "y" for name in names]}
    table = write_table(flat.parent / "l.csv", columns)
    source = source_of(flat, labels=table)
    assert len(source.rows) == 9
    labels = {row.source: row.label for row in source.rows}
    assert (labels["again.dcm"], labels["Anna_s1_0.dcm"]) == ("x", "y")
    write_table(flat / "l.csv", columns)
    assert len(source_of(flat).rows) == 9
    table = write_table(flat.parent / "p.csv", {"patient": ["Anna", "Bert"], "label": ["x", "y"]})
    assert len(source_of(flat, labels=table).rows) == 8


@pytest.mark.parametrize("kind", ["patient", "series"])
def test_identifiers_of_a_table_are_not_repeated(flat: Path, kind: str) -> None:
    known = "Anna" if kind == "patient" else make_uid("series Anna s1")
    table = write_table(flat.parent / "l.csv", {kind: [known, "Secret-7", ""], "label": ["x", "y", "z"]})
    with pytest.raises(InputError, match=r"2 of 3 rows .* \(label without image; the first are lines 3, 4\)") as caught:
        source_of(flat, labels=table)
    assert "Secret" not in str(caught.value)


def test_series_descriptions_are_not_shown(flat: Path) -> None:
    for name in ("Mrs Miller", "Mr Smith"):
        file = flat / f"{name[-1]}.dcm"
        save_dicom(file, SMALL, patient="Anna", series=name, extra={"SeriesDescription": f"AX FLAIR {name}"})
    table = write_table(flat.parent / "l.csv", {"patient": ["Anna", "Bert"], "label": ["x", "y"]})
    shown: list[str] = []

    class Screen:
        def task(self, title: str, *, total: int | None) -> Any:
            return SILENT.task(title, total=total)

        def say(self, message: str) -> None:
            shown.append(message)

    options = LabelOptions(labels=table)
    source = read_dicom_source(flat, options, reading=Reading(), key=KEY, progress=Screen())
    assert any("MR FLAIR axial (2 series, 2 slices)" in note for note in source.notes)
    assert not any(name in " ".join([*shown, *source.notes]) for name in ("Miller", "Smith"))


def test_series_that_a_table_does_not_mention_are_left_out_and_counted(flat: Path) -> None:
    table = write_table(flat.parent / "l.csv", {"patient": ["Anna"], "label": ["x"]})
    source = source_of(flat, labels=table)
    assert {row.source[:4] for row in source.rows} == {"Anna"}
    assert "2 series that l.csv does not mention were left out." in source.notes


def test_a_table_may_name_what_is_left_out(flat: Path) -> None:
    save_dicom(flat / "scout.dcm", SMALL, patient="Anna", extra={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    save_dicom(flat / "cor.dcm", SMALL, patient="Anna", series="s3", orientation=CORONAL)
    names = sorted(file.name for file in flat.iterdir())
    table = write_table(flat.parent / "l.csv", {"file": names, "label": [name[0] for name in names]})
    source = source_of(flat, labels=table)
    assert len(source.rows) == 8
    assert "Left out: 1 localizers." in source.notes
    assert "1 slices of other planes than axial were left out." in source.notes


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"file": ["Anna_s1_0.dcm", "gone.dcm"], "label": ["x", "y"]}, "1 of 2 rows in .* name what is not there"),
        ({"file": ["Anna_s1_0.dcm"], "label": ["x"]}, "1 slices of a series that l.csv labels are not in it"),
        ({"patient": ["Anna", "Anna"], "label": ["x", "y"]}, "Lines 2 and 3 of .* name the same slice"),
        ({"patient": ["Anna", "Bert"], "label": ["x", ""]}, "1 rows of .* have a blank in column 'label'"),
        ({"weight": ["1", "2"], "label": ["x", "y"]}, "No column of .* names the DICOM files"),
        (
            {"patient": ["Anna", "Bert"], "a": ["x", "y"], "b": ["x", "y"]},
            "No column of .* is named like one of labels",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused(flat: Path, columns: dict[str, list[str]], message: str) -> None:
    table = write_table(flat.parent / "l.csv", columns)
    with pytest.raises(InputError, match=message) as caught:
        source_of(flat, labels=table)
    assert "\n" not in str(caught.value)


def test_slices_without_a_class_are_refused(flat: Path, classes: Path) -> None:
    with pytest.raises(InputError, match=r"The 8 DICOM slices in .* have no labels \(the first: Anna_s1_0.dcm"):
        source_of(flat)
    save_dicom(classes / "loose.dcm", SMALL, patient="Emil")
    with pytest.raises(InputError, match=r"1 of 13 DICOM slices in .* lie in no class folder .*loose.dcm"):
        source_of(classes)
    with pytest.raises(InputError, match="Columns were named, but"):
        source_of(flat, label_column="Class")


def test_unreadable_files_keep_a_row_and_say_why(classes: Path) -> None:
    (classes / "tumor" / "bad.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    huge = save_dicom(classes / "tumor" / "huge.dcm", SMALL, extra={"Rows": 60000, "Columns": 60000})
    source = source_of(classes)
    assert huge.exists()
    assert [row.source for row in source.rows[12:]] == ["tumor/bad.dcm", "tumor/huge.dcm"]
    assert all(row.patient and tuple(row.extra) == FACT_COLUMNS for row in source.rows)
    loaders = list(source.loaders())
    with pytest.raises(InputError, match="the limit for one scan is"):
        loaders[13]()


def test_slices_without_patient_fall_back_to_the_study(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        for z in range(2):
            save_dicom(tmp_path / label / f"{z}.dcm", SMALL, patient=None, series=label, z=z)
    source = source_of(tmp_path)
    assert len({row.patient for row in source.rows}) == 2
    assert "4 slices have no PatientID: each study was taken for a patient." in source.notes


def test_hashes_of_slices_without_identifiers_do_not_depend_on_the_place_of_the_folder(tmp_path: Path) -> None:
    silent = {"StudyInstanceUID": None, "SeriesInstanceUID": None}
    found = []
    for place in ("here", "there"):
        for label in ("no", "yes"):
            save_dicom(tmp_path / place / label / "a.dcm", SMALL, patient=None, extra=silent)
        found.append([row.patient for row in source_of(tmp_path / place).rows])
    assert found[0] == found[1]
    assert len(set(found[0])) == 2


def test_one_patient_id_for_all_studies_is_noted(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        save_dicom(tmp_path / label / "0.dcm", SMALL, patient="ANONYMOUS", series=label)
    assert any("All 2 studies bear the same PatientID" in note for note in source_of(tmp_path).notes)


def test_frames_are_named_by_number(tmp_path: Path) -> None:
    stack = np.stack([SMALL, SMALL + 1, SMALL + 2])
    frames = [{"z": z} for z in (2.0, 0.0, 1.0)]
    for label in ("no", "yes"):
        save_dicom(tmp_path / label / "a.dcm", stack, patient=label, frames=frames)
    source = source_of(tmp_path, reading=Reading(window=Window("fixed", low=0, high=255)))
    assert [row.source for row in source.rows[:3]] == ["no/a.dcm#2", "no/a.dcm#3", "no/a.dcm#1"]
    assert [int(load().pixels[0, 0, 0]) for load in source.loaders()][:3] == [1, 2, 0]
    table = write_table(
        tmp_path / "l.csv", {"image": [f"{c}/a.dcm#{n}" for c in ("no", "yes") for n in (1, 2, 3)], "y": list("abcabc")}
    )
    assert [row.label for row in source_of(tmp_path, labels=table).rows] == list("bcabca")


def write_dicomdir(folder: Path, names: str, **elements: str) -> Path:
    """A DICOMDIR of the files ``IMAGES/A``, ``IMAGES/B``, …"""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence as Items

    records = []
    for name in names:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["IMAGES", name]
        records.append(record)
    directory = Dataset()
    directory.DirectoryRecordSequence = Items(records)
    for keyword, value in elements.items():
        setattr(directory, keyword, value)
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_dicomdir_is_read_by_its_records(tmp_path: Path) -> None:
    for name in "ABC":
        save_dicom(tmp_path / "IMAGES" / name, SMALL, patient=name)
    file = write_dicomdir(tmp_path, "AB")
    table = write_table(tmp_path / "l.csv", {"patient": ["A", "B"], "y": ["1", "2"]})
    source = source_of(file, labels=table)
    assert [(row.source, row.label) for row in source.rows] == [("IMAGES/A", "1"), ("IMAGES/B", "2")]


def test_remarks_of_pydicom_on_a_dicomdir_are_not_shown(tmp_path: Path) -> None:
    """It quotes a character set that it does not know; warnings are errors here, so one would end in a refusal."""
    save_dicom(tmp_path / "IMAGES" / "A", SMALL, patient="A")
    with quiet_decoding():
        file = write_dicomdir(tmp_path, "A", SpecificCharacterSet="SECRET_7")
    table = write_table(tmp_path / "l.csv", {"patient": ["A"], "y": ["1"]})
    assert len(source_of(file, labels=table).rows) == 1


def test_folders_without_slices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds no DICOM slices \(0 localizers, 0 objects without pictures, 1 other"):
        source_of(tmp_path)
