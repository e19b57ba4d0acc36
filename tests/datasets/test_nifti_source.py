from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from tumorlens.datasets import import_scans
from tumorlens.datasets.nifti_masks import NO_MASKS, MaskOptions, match_masks
from tumorlens.datasets.nifti_slices import SharedVolume
from tumorlens.datasets.nifti_source import read_nifti_source
from tumorlens.datasets.pool import ordered_map
from tumorlens.datasets.source import LabelOptions, ScanSource
from tumorlens.errors import InputError
from tumorlens.progress import SILENT
from tumorlens.scans import Reading, Scan, parse_window
from tumorlens.workspace import Workspace

SHAPE = (20, 16, 8)
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
SEG = MaskOptions(pattern="{stem}_seg.nii.gz")


def save(path: Path, values: npt.NDArray[Any], affine: npt.NDArray[np.float64] = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(values, affine).to_filename(path)
    return path


def brain(seed: int = 0) -> npt.NDArray[np.int16]:
    """A head of noise; the slice z=0 is empty."""
    values = np.zeros(SHAPE, np.int16)
    values[3:17, 2:14, 1:] = np.random.default_rng(seed).integers(300, 900, (14, 12, 7))
    return values


def lesion(counts: dict[int, int]) -> npt.NDArray[np.uint8]:
    """A mask with so many voxels of 4 mm² in each slice."""
    values = np.zeros(SHAPE, np.uint8)
    for index, count in counts.items():
        values[4:14, 4:14, index].flat[:count] = 1
        assert np.count_nonzero(values[:, :, index]) == count
    return values


def listed(
    path: Path, *, options: LabelOptions | None = None, masks: MaskOptions = NO_MASKS, plane: Any = "axial"
) -> ScanSource:
    reading = Reading(plane=plane)
    return read_nifti_source(path, options or LabelOptions(), reading=reading, masks=masks, progress=SILENT)


def labels_of(source: ScanSource) -> dict[str, str]:
    return {row.source: row.label for row in source.rows}


def loaded(source: ScanSource) -> list[Scan]:
    return [load() for load in source.loaders()]


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    """One volume with its mask: no tumour, 8 mm², 28 mm², 32 mm² and 200 mm² of it."""
    folder = tmp_path / "source"
    save(folder / "p1" / "a.nii.gz", brain())
    save(folder / "p1" / "a_seg.nii.gz", lesion({0: 50, 3: 2, 4: 7, 5: 8, 6: 50}))
    return folder


def test_masks_label_slices_by_area(masked: Path) -> None:
    source = listed(masked, masks=SEG)
    name = "p1/a.nii.gz#z="
    assert labels_of(source) == {
        f"{name}1": "no_tumor",
        f"{name}2": "no_tumor",
        f"{name}5": "tumor",
        f"{name}6": "tumor",
        f"{name}7": "no_tumor",
    }
    assert source.from_volumes
    assert {row.patient for row in source.rows} == {None}
    assert {row.extra["volume"] for row in source.rows} == {"p1/a.nii.gz"}
    flow = (
        "1 volumes with 8 axial slices: 1 left out for little brain (under 5 % of the slice), 2 left out because less "
        "than 30 mm² of them is tumour, 5 kept."
    )
    assert flow in source.notes


def test_the_limit_and_the_values_can_be_chosen(masked: Path) -> None:
    few = listed(masked, masks=MaskOptions(pattern=SEG.pattern, min_lesion_mm2=8))
    assert [row.label for row in few.rows] == ["no_tumor"] * 2 + ["tumor"] * 4 + ["no_tumor"]
    other = listed(masked, masks=MaskOptions(pattern=SEG.pattern, labels=(2,)))
    assert {row.label for row in other.rows} == {"no_tumor"}


def test_masks_stay_on_their_pixels(tmp_path: Path) -> None:
    values, marks = brain(), lesion({6: 50})
    values[marks > 0] = 3000
    save(tmp_path / "s" / "a.nii.gz", values, np.diag([2.0, 4.0, 3.0, 1.0]))
    save(
        tmp_path / "s" / "a_seg.nii.gz",
        marks[::-1],
        np.array([[-2.0, 0, 0, 38], [0, 4.0, 0, 0], [0, 0, 3.0, 0], [0, 0, 0, 1]]),
    )
    scans = {scan.source.rpartition("#")[2]: scan for scan in loaded(listed(tmp_path / "s", masks=SEG))}
    scan = scans["z=6"]
    assert scan.mask is not None
    assert scan.mask.shape == scan.pixels.shape[:2] == (32, 20)
    assert scan.mask.sum() == 100
    bright = scan.pixels[:, :, 0] > 200
    assert np.count_nonzero(bright != scan.mask) <= 10, "but for the blur of the resized edge"
    other = scans["z=1"].mask
    assert other is not None
    assert not other.any()


def test_rows_and_loaders_agree(masked: Path) -> None:
    save(masked / "p2" / "b.nii.gz", brain(1))
    save(masked / "p2" / "b_seg.nii.gz", lesion({2: 40}))
    source = listed(masked, masks=SEG, plane="coronal")
    scans = loaded(source)
    assert [scan.source for scan in scans] == [str(masked / row.source) for row in source.rows]
    assert {scan.facts["plane"] for scan in scans} == {"coronal"}
    again = loaded(source)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(scans, again, strict=True))


def test_two_threads_hold_two_volumes_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        save(tmp_path / "tumor" / f"{number}.nii", brain(number))
        save(tmp_path / "healthy" / f"{number}.nii", brain(number + 50))
    source, lock, held, most = listed(tmp_path), threading.Lock(), set(), []
    reads: list[Path] = []
    original = SharedVolume._volume

    def watched(self: SharedVolume) -> Any:
        with lock:
            if self._read is None:
                reads.append(self._examined.file.path)
            held.add(self)
        result = original(self)
        with lock:
            most.append(sum(volume._read is not None for volume in held))
        return result

    monkeypatch.setattr(SharedVolume, "_volume", watched)
    sequential = [load() for load in source.loaders()]
    assert max(most) == 1
    assert len(reads) == 12, "each volume is read once"
    held.clear()
    most.clear()
    threaded = list(ordered_map(lambda load: load(), source.loaders(), workers=2, ahead=32))
    assert max(most) <= 2
    assert not any(volume._read is not None for volume in held), "nothing stays behind"
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(sequential, threaded, strict=True))


def test_one_window_a_volume(tmp_path: Path) -> None:
    values = brain()
    values[:, :, 7] //= 3
    save(tmp_path / "no" / "a.nii", values)
    save(tmp_path / "yes" / "b.nii", brain(1))
    scans = [scan for scan in loaded(listed(tmp_path)) if "a.nii" in scan.source]
    assert len({scan.receipt[-1] for scan in scans}) == 1
    assert scans[-1].pixels.max() < 100 < scans[0].pixels.max()


@pytest.mark.parametrize("published", [False, True])
def test_class_folders_label_volumes(tmp_path: Path, published: bool) -> None:
    for part in ("Training", "Testing") if published else ("",):
        save(tmp_path / part / "glioma" / "x.nii.gz", brain())
        save(tmp_path / part / "healthy" / "deep" / "y.nii", brain(1))
    source = listed(tmp_path)
    assert {row.label for row in source.rows} == {"glioma", "healthy"}
    assert len(source.rows) == (28 if published else 14)
    parts = {row.extra.get("published_part") for row in source.rows}
    assert parts == ({"train", "test"} if published else {None})


def test_a_table_labels_volumes_and_names_patients(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz", "spare.nii.gz"):
        save(tmp_path / "vol" / name, brain(ord(name[0])))
    table = tmp_path / "t.csv"
    table.write_text("file,label,who,scanner\na,sick,P1,x\nb.nii.gz,sick,P1,y\nvol/c,well,P2,x\n")
    options = LabelOptions(table, group_column="who", label_column="label", keep_columns=("scanner",))
    source = listed(tmp_path, options=options)
    first = {row.source.partition("#")[0]: (row.label, row.patient, row.extra["scanner"]) for row in source.rows}
    assert first == {
        "vol/a.nii.gz": ("sick", "P1", "x"),
        "vol/b.nii.gz": ("sick", "P1", "y"),
        "vol/c.nii.gz": ("well", "P2", "x"),
    }
    assert "1 volumes that t.csv does not name were left out." in source.notes
    assert not any("--group-pattern" in note for note in source.notes)


@pytest.mark.parametrize("named", [LabelOptions(), LabelOptions(Path("t.csv"))])
def test_a_table_beside_the_volumes_is_found(tmp_path: Path, named: LabelOptions) -> None:
    save(tmp_path / "s" / "a.nii", brain())
    save(tmp_path / "s" / "b.nii.gz", brain(1))
    (tmp_path / "s" / "t.csv").write_text("series,label\na,sick\nb,well\n")
    assert {row.label for row in listed(tmp_path / "s", options=named).rows} == {"sick", "well"}
    (tmp_path / "s" / "t.csv").write_text("series,label\nx,sick\ny,well\n")
    with pytest.raises(InputError, match="have no label" if named.labels is None else "can be guessed"):
        listed(tmp_path / "s", options=named)


def test_a_table_beside_masks_is_used_for_the_columns_named(masked: Path) -> None:
    (masked / "t.csv").write_text("file,who\na,P1\n")
    assert {row.patient for row in listed(masked, options=LabelOptions(group_column="who"), masks=SEG).rows} == {"P1"}
    assert {row.patient for row in listed(masked, masks=SEG).rows} == {None}


def test_a_group_pattern_goes_before_the_patients_of_a_layout(tmp_path: Path) -> None:
    for number in range(2):
        name = f"BraTS20_Training_{number:03d}"
        save(tmp_path / "s" / f"site{number}" / name / f"{name}_flair.nii", brain(number))
        save(tmp_path / "s" / f"site{number}" / name / f"{name}_seg.nii", lesion({3: 20}))
    result = import_scans(
        tmp_path / "s",
        workspace=Workspace.locate(tmp_path / "w"),
        name="t",
        group_pattern=r"(site\d)/",
        masks=MaskOptions(layout="brats"),
    )
    assert set(result.dataset.groups) == {"site0", "site1"}
    assert any("those that the source itself names were not used" in note for note in result.notes)


def test_masks_label_and_a_table_names_patients(masked: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("file,who\na,P1\n")
    source = listed(masked, options=LabelOptions(table, group_column="who"), masks=SEG)
    assert {row.patient for row in source.rows} == {"P1"}
    assert {row.label for row in source.rows} == {"tumor", "no_tumor"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,label\na,x\nnone,y\n", "1 of 2 rows .* not there .*none"),
        ("file,label\na,x\na.nii,y\n", "Lines 2 and 3 .* both name a.nii"),
        ("file,label\na,\n", "blank in column 'label'"),
        ("one,two,three\na,b,c\n", "can be guessed"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, text: str, reason: str) -> None:
    save(tmp_path / "a.nii", brain())
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=reason):
        listed(tmp_path, options=LabelOptions(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("pattern", "image", "mask"),
    [
        ("{stem}_seg.nii.gz", "p/a.nii.gz", "p/a_seg.nii.gz"),
        ("../masks/{stem}.nii", "images/a.nii.gz", "masks/a.nii"),
        ("*_seg.nii.gz", "p[1]/x_flair.nii.gz", "p[1]/x_seg.nii.gz"),
        ("seg/{folder}.nii.gz", "p/a.nii.gz", "p/seg/p.nii.gz"),
        ("flair=>seg", "p/x_flair.nii", "p/x_seg.nii"),
        ("imagesTr=>labelsTr,_0000.nii=>.nii", "imagesTr/b_0000.nii.gz", "labelsTr/b.nii.gz"),
    ],
)
def test_patterns_find_masks(tmp_path: Path, pattern: str, image: str, mask: str) -> None:
    files = [tmp_path / image, tmp_path / mask]
    assert match_masks(tmp_path, files, pattern) == ([(files[0], files[1])], [])
    assert match_masks(tmp_path, files[:1], pattern) == ([], files[:1])


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("../../{stem}.nii", "leads out"),
        ("/etc/{stem}.nii", "leads out"),
        ("{name}.nii", "expected {stem} or {folder}"),
        ("*/{stem}.nii", "folder's name"),
        ("=>seg", "Expected replacements"),
        ("a=>b,c", "Expected replacements"),
        ("*s*.nii", "fits 2 masks"),
    ],
)
def test_patterns_that_make_no_sense(tmp_path: Path, pattern: str, reason: str) -> None:
    files = [tmp_path / "p" / name for name in ("a.nii", "seg1.nii", "seg2.nii")]
    with pytest.raises(InputError, match=reason):
        match_masks(tmp_path, files, pattern)


def test_volumes_without_a_mask_are_counted(masked: Path) -> None:
    save(masked / "p2" / "b.nii.gz", brain(1))
    source = listed(masked, masks=SEG)
    assert "1 volumes without a mask were left out (the first: p2/b.nii.gz)." in source.notes
    assert {row.extra["volume"] for row in source.rows} == {"p1/a.nii.gz"}
    with pytest.raises(InputError, match="No volume in .* has a mask"):
        listed(masked, masks=MaskOptions(pattern="{stem}-mask.nii.gz"))


def test_a_group_pattern_is_proposed(tmp_path: Path) -> None:
    save(tmp_path / "own" / "no" / "p1" / "a.nii", brain())
    save(tmp_path / "own" / "yes" / "p2" / "a.nii", brain(1))
    assert (
        "--group-pattern '([^/]+)/[^/]+$' names patients if each folder is a patient."
        in listed(tmp_path / "own").notes[-1]
    )
    save(tmp_path / "flat" / "no" / "a.nii", brain())
    save(tmp_path / "flat" / "no" / "b.nii", brain(1))
    assert r"--group-pattern '([^/]+)\.nii' names patients if each volume" in listed(tmp_path / "flat").notes[-1]


def test_an_unreadable_volume_is_told_by_its_loader(masked: Path) -> None:
    (masked / "p0").mkdir()
    (masked / "p0" / "bad.nii.gz").write_bytes(b"\x1f\x8bnonsense")
    save(masked / "p0" / "bad_seg.nii.gz", lesion({}))
    save(masked / "p2" / "c.nii.gz", brain())
    save(masked / "p2" / "c_seg.nii.gz", lesion({})[:, :, :7])
    source = listed(masked, masks=SEG)
    bad = [row.source for row in source.rows if "#" not in row.source]
    assert bad == ["p0/bad.nii.gz", "p2/c.nii.gz"]
    errors = []
    for load in source.loaders():
        try:
            load()
        except InputError as error:
            errors.append(str(error))
    assert len(errors) == 2
    assert "bad.nii.gz is truncated or damaged" in errors[0]
    assert "The mask" in errors[1]


def test_what_cannot_be_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no NIfTI volumes"):
        listed(tmp_path)
    (tmp_path / "a.hdr").touch()
    with pytest.raises(InputError, match=r"convert its \.hdr/\.img pairs"):
        listed(tmp_path)
    save(tmp_path / "a.nii", brain())
    with pytest.raises(InputError, match="1 of 1 volumes .* no label"):
        listed(tmp_path)
    with pytest.raises(InputError, match="no CSV file"):
        listed(tmp_path, options=LabelOptions(group_column="who"))
    with pytest.raises(InputError, match="--window dicom"):
        read_nifti_source(
            tmp_path, LabelOptions(), reading=Reading(window=parse_window("dicom")), masks=SEG, progress=SILENT
        )
    save(tmp_path / "x" / "dark.nii", np.zeros(SHAPE, np.int16))
    (tmp_path / "a.nii").unlink()
    with pytest.raises(InputError, match="None of the axial slices .* 8 left out for little brain"):
        listed(tmp_path)


def test_an_import_keeps_volumes_together_and_nothing_behind(masked: Path, workspace: Workspace) -> None:
    for number in range(2, 5):
        save(masked / f"p{number}" / "a.nii.gz", brain(number))
        save(masked / f"p{number}" / "a_seg.nii.gz", lesion({2: 20, 3: 40}))
    result = import_scans(masked, workspace=workspace, name="vols", masks=SEG)
    manifest = result.dataset.manifest
    assert set(manifest["label"]) == {"tumor", "no_tumor"}
    assert (manifest.groupby("volume")["group"].nunique() == 1).all()
    assert manifest["slice_position_mm"].iloc[0] == "3.00"
    (masked / "p5").mkdir()
    (masked / "p5" / "a.nii.gz").write_bytes(b"x" * 400)
    save(masked / "p5" / "a_seg.nii.gz", lesion({}))
    before = sorted(workspace.datasets.iterdir())
    with pytest.raises(InputError, match=r"p5/a\.nii\.gz is not a NIfTI file"):
        import_scans(masked, workspace=workspace, name="more", masks=SEG)
    assert sorted(workspace.datasets.iterdir()) == before
    skipped = import_scans(masked, workspace=workspace, name="less", masks=SEG, skip_unreadable=True)
    assert len(skipped.unreadable) == 1
    assert len(skipped.dataset.manifest) == len(manifest)
