from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from tumorlens.datasets.find_source import find_source
from tumorlens.datasets.nifti_masks import NO_MASKS, MaskOptions
from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import SILENT
from tumorlens.scans import DEFAULT_READING, Reading

X = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
TABLE = "Image,Class\np0_s0,a\n"


def find(path: Path, *, reading: Reading = DEFAULT_READING, masks: MaskOptions = NO_MASKS, **options: object):
    return find_source(
        path,
        LabelOptions(**options),
        reading=reading,
        masks=masks,
        key_file=path.parent / "patient-key",
        progress=SILENT,
    )


def test_npz_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", X=X, Y=[0, 1, 0, 1], who=["p1", "p1", "p2", "p3"])
    np.savez(tmp_path / "part10.npz", X=X[:2] / 255, Y=np.eye(2), who=["p4", "p5"])
    one = find(tmp_path / "train.npz")
    assert [row.source for row in one.rows] == [f"train.npz#{index}" for index in range(4)]
    both = find(tmp_path, group_column="who")
    assert [row.patient for row in both.rows] == ["p4", "p5", "p1", "p1", "p2", "p3"]
    assert [row.label for row in both.rows] == ["0", "1", "0", "1", "0", "1"]
    assert len(both.notes) == 1
    read = [load() for load in both.loaders()]
    np.testing.assert_array_equal(read[2].pixels[:, :, 0], X[0])
    np.testing.assert_array_equal(read[1].pixels[:, :, 0], X[1])


def test_patients_of_another_length_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=X, Y=[0, 1, 0, 1], who=["p1"])
    with pytest.raises(InputError, match="has 1 values for 4 scans"):
        find(tmp_path / "a.npz", group_column="who")
    with pytest.raises(InputError, match="no array patient"):
        find(tmp_path / "a.npz", group_column="patient")
    with pytest.raises(InputError, match=r"do not apply to \.npz"):
        find(tmp_path / "a.npz", label_column="Class")


def test_class_folders_win_over_a_table_that_names_no_images(class_folders: Path) -> None:
    (class_folders / "notes.csv").write_text("age,sex\n70,f\n")
    source = find(class_folders)
    assert {row.label for row in source.rows} == {"no", "yes"}
    assert "Not used: notes.csv" in source.notes[-1]


def test_a_single_table_that_names_the_images_wins(class_folders: Path) -> None:
    names = [path.stem for path in sorted(class_folders.rglob("*.png"))]
    text = "Image,Class\n" + "".join(f"{name},{name[-1]}\n" for name in names)
    (class_folders / "labels.csv").write_text(text)
    assert {row.label for row in find(class_folders).rows} == {"0", "1", "2"}
    (class_folders / "more.csv").write_text(text)
    assert {row.label for row in find(class_folders).rows} == {"no", "yes"}
    beside = find(class_folders, labels=Path("labels.csv"))
    assert {row.label for row in beside.rows} == {"0", "1", "2"}


def test_unknown_kinds_of_sources_are_refused(tmp_path: Path, write_scan) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        find(tmp_path / "none")
    with pytest.raises(InputError, match=r"a folder of scans, a .zip of one, or an .npz, DICOM or NIfTI file"):
        find(write_scan(tmp_path / "a" / "a.png", 1))
    with pytest.raises(InputError, match="Columns were named, but"):
        find(tmp_path / "a", label_column="Class")
    (tmp_path / "a" / "one.csv").write_text(TABLE)
    (tmp_path / "a" / "two.csv").write_text(TABLE)
    with pytest.raises(InputError, match=r"holds 2 CSV files \(one.csv, two.csv\)"):
        find(tmp_path / "a")


def test_a_source_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(File name too long\)"):
        find(tmp_path / ("x" * 300))

    def refuse(path: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\): check the path and its permissions"):
        find(tmp_path)


@pytest.mark.parametrize("name", [b"M\xe4rz.npz", b"M\xe4rz.csv"])
def test_files_whose_names_are_no_text_are_refused(class_folders: Path, name: bytes) -> None:
    file = class_folders / os.fsdecode(name)
    try:
        file.write_bytes(b"")
    except OSError:
        pytest.skip("this file system only takes names in UTF-8")
    for given in (lambda: find(class_folders), lambda: find(class_folders, labels=file)):
        with pytest.raises(InputError, match="is not UTF-8 text: rename it"):
            given()


@pytest.mark.parametrize(
    ("name", "reading", "masks", "message"),
    [
        ("a.nii", Reading(series="flair"), NO_MASKS, "--series is for DICOM files"),
        ("a.dcm", Reading(), MaskOptions(pattern="{stem}_seg.nii"), "--mask-pattern is for NIfTI volumes"),
        ("a.dcm", Reading(), MaskOptions(layout="brats"), "--layout is for NIfTI volumes"),
        ("a.nii", Reading(), MaskOptions(labels=(1,)), "--mask-labels is for lesion masks"),
        ("a.nii", Reading(), MaskOptions(min_lesion_mm2=5), "--min-lesion-mm2 is for lesion masks"),
        ("a.nii", Reading(), MaskOptions(sequence="t1"), "--sequence is for --layout brats"),
        ("a.nii", Reading(), MaskOptions(pattern="x", sequence="t1"), "--sequence is for --layout brats"),
        ("a.png", Reading(), MaskOptions(pattern="x"), "--mask-pattern is for DICOM and NIfTI files"),
    ],
)
@pytest.mark.parametrize("folder", [False, True])
def test_options_that_do_not_apply_are_refused(
    tmp_path: Path, name: str, reading: Reading, masks: MaskOptions, message: str, folder: bool
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / name).write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(InputError, match=message):
        find(tmp_path / "s" if folder else tmp_path / "s" / name, reading=reading, masks=masks)
