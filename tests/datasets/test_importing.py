from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorlens.datasets import (
    CLUSTER_THRESHOLD,
    MANIFEST_COLUMNS,
    Dataset,
    import_scans,
    list_datasets,
    load_dataset,
    short_check,
)
from tumorlens.datasets import ingest as ingest_module
from tumorlens.errors import InputError, StorageError
from tumorlens.scans import pixel_digest, read_scan
from tumorlens.workspace import Workspace

Writer = Callable[..., Path]


def nothing_left(workspace: Workspace) -> bool:
    return not workspace.datasets.exists() or not list(workspace.datasets.iterdir())


def test_manifest_has_a_row_per_file_with_its_facts(class_folders: Path, dataset: Dataset) -> None:
    manifest = dataset.manifest
    assert tuple(manifest.columns) == MANIFEST_COLUMNS
    assert manifest["row_id"].tolist() == list(range(72))
    assert manifest["source"].head(4).tolist() == [
        "no/p0_s0.png",
        "no/p0_s1.png",
        "no/p0_s2.png",
        "no/p1_s0.png",
    ]
    assert set(manifest["format"]) == {"PNG"}
    assert set(manifest["mode"]) == {"RGB"}
    assert set(manifest["height"]) == set(manifest["width"]) == {24}
    assert (manifest["copy_of"] == -1).all()
    assert manifest["area"].between(0, 1).all()
    scan = read_scan(class_folders / manifest["source"][40])
    assert manifest["pixel_digest"][40] == pixel_digest(scan.pixels)
    with dataset.open_pixels() as store:
        np.testing.assert_array_equal(store.get(manifest["pixel_digest"][40]), scan.pixels)


def test_result_says_what_was_done(class_folders: Path, workspace: Workspace) -> None:
    result = import_scans(class_folders, workspace=workspace, name="tiny")
    flow = result.flow
    assert (flow.files, flow.readable, flow.distinct, flow.imported) == (72, 72, 72, 72)
    assert flow.by_class == {"no": 36, "yes": 36}
    assert result.notes == ("Class folders: no, yes.",)
    assert result.dropped == result.unreadable == ()


def test_near_twins_become_clusters(dataset: Dataset) -> None:
    patients = dataset.manifest["source"].str.extract(r"p(\d+)_")[0].to_numpy()
    pairs = set(zip(patients, dataset.groups.tolist(), strict=True))
    assert len(pairs) == dataset.record.groups == 24
    assert dataset.groups_are == "clusters"
    check = short_check(dataset)
    assert (check.near_twins, check.groups, check.exact_groups) == (72, 24, 0)


def test_groups_are_patients_where_named(class_folders: Path, workspace: Workspace) -> None:
    result = import_scans(class_folders, workspace=workspace, name="t", group_pattern=r"(p\d+)_").dataset
    assert result.groups_are == "patients"
    assert result.groups[:4].tolist() == ["p0", "p0", "p0", "p1"]
    assert (result.record.near_twins, result.record.cluster_threshold) == (72, CLUSTER_THRESHOLD)
    (result.path / "thumbnails.npy").unlink()  # what the check says was counted by the import
    assert short_check(result).near_twins == 72


def test_copies_are_marked_and_counted(tmp_path: Path, workspace: Workspace, write_scan) -> None:
    seeds = {"a/1.png": 1, "a/2.png": 2, "a/3.png": 1, "b/1.png": 3, "b/2.png": 3, "b/3.png": 3}
    for name, seed in seeds.items():
        write_scan(tmp_path / "s" / name, seed)
    result = import_scans(tmp_path / "s", workspace=workspace, name="t")
    data = result.dataset
    assert result.flow.distinct == 3
    assert data.manifest["copy_of"].tolist() == [-1, -1, 0, -1, 3, 3]
    assert data.distinct_thumbnails().shape == (3, 60, 60)
    np.testing.assert_array_equal(data.thumbnails()[2], data.thumbnails()[0])
    np.testing.assert_array_equal(data.thumbnails()[4], data.distinct_thumbnails()[2])
    check = short_check(data)
    assert (check.distinct, check.exact_groups, check.scans_in_copies) == (3, 2, 5)
    with data.open_pixels() as store:
        assert len(store) == 3


def test_a_scan_with_two_labels_stops_the_import(tmp_path, workspace, write_scan) -> None:
    for name, seed in (("a/1.png", 1), ("a/2.png", 2), ("b/1.png", 3), ("b/2.png", 1)):
        write_scan(tmp_path / "s" / name, seed)
    with pytest.raises(InputError, match=r"a/1\.png is 'a', .*b/2\.png, .* is 'b'.*--drop-conflicts"):
        import_scans(tmp_path / "s", workspace=workspace, name="t")
    assert nothing_left(workspace)
    result = import_scans(tmp_path / "s", workspace=workspace, name="t", drop_conflicts=True)
    assert result.dropped == ("a/1.png", "b/2.png")
    assert (result.flow.dropped, result.flow.distinct) == (2, 2)
    assert result.dataset.manifest["source"].tolist() == ["a/2.png", "b/1.png"]
    assert result.dataset.manifest["row_id"].tolist() == [0, 1]
    assert result.dataset.distinct_thumbnails().shape == (2, 60, 60)
    with result.dataset.open_pixels() as store:
        assert len(store) == 2


def test_labels_are_renamed_and_columns_kept(tmp_path, workspace, write_scan) -> None:
    for seed in range(4):
        write_scan(tmp_path / "s" / f"i{seed}.png", seed)
    rows = "i0,0,p1,70\ni1,1,p1,70\ni2,0,p2,55\ni3,1,p3,41\n"
    (tmp_path / "s" / "t.csv").write_text("Image,Class,who,age\n" + rows)
    data = import_scans(
        tmp_path / "s",
        workspace=workspace,
        name="t",
        group_column="who",
        keep_columns=["age"],
        class_names={"0": "none", "1": "tumour"},
        synthetic=True,
    ).dataset
    assert (data.classes, data.positive_class, data.synthetic) == (("none", "tumour"), "tumour", True)
    assert data.labels.tolist() == [0, 1, 0, 1]
    assert data.groups.tolist() == ["p1", "p1", "p2", "p3"]
    assert data.manifest["age"].tolist() == ["70", "70", "55", "41"]


def test_columns_with_taken_names_are_refused(tmp_path, workspace, write_scan) -> None:
    write_scan(tmp_path / "s" / "a.png", 1)
    (tmp_path / "s" / "t.csv").write_text("Image,Class,area\na,0,1\n")
    with pytest.raises(InputError, match="'area' cannot be kept"):
        import_scans(tmp_path / "s", workspace=workspace, name="t", keep_columns=["area"])


@pytest.mark.parametrize("name", ["volume", "receipt", "label_before", "published_part", "modality"])
def test_columns_that_mean_something_else_are_refused(tmp_path, workspace, write_scan, name: str) -> None:
    write_scan(tmp_path / "s" / "a.png", 1)
    (tmp_path / "s" / "t.csv").write_text(f"Image,Class,{name}\na,0,1\n")
    with pytest.raises(InputError, match=f"'{name}' cannot be kept"):
        import_scans(tmp_path / "s", workspace=workspace, name="t", keep_columns=[name])


def test_a_zipped_folder_is_the_folder_and_errors_name_the_zip(tmp_path, workspace, write_scan) -> None:
    for seed, name in enumerate(("no/a", "no/b", "yes/a", "yes/b")):
        write_scan(tmp_path / "study" / "scans" / f"{name}.png", seed)
    (tmp_path / "study" / "scans" / "no" / "bad.png").write_bytes(b"none")
    packed = Path(shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path, "study"))
    with pytest.raises(InputError, match=r"x\.zip/study/scans/no/bad\.png") as caught:
        import_scans(packed, workspace=workspace, name="t")
    assert str(workspace.root) not in str(caught.value)
    result = import_scans(packed, workspace=workspace, name="t", skip_unreadable=True)
    assert result.dataset.manifest["source"].tolist() == ["no/a.png", "no/b.png", "yes/a.png", "yes/b.png"]
    (sentence,) = result.unreadable
    assert sentence.startswith(str(packed / "study" / "scans" / "no" / "bad.png"))


def test_arrays_are_imported_with_the_warning(tmp_path: Path, workspace: Workspace) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (8, 16, 16), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", X=(grey / 255).astype("f4"), Y=np.eye(2)[[0, 1] * 4])
    result = import_scans(tmp_path / "a.npz", workspace=workspace, name="t")
    assert any("min-max scaled per pixel position" in note for note in result.notes)
    assert result.dataset.manifest["source"][3] == "a.npz#3"
    with result.dataset.open_pixels() as store:
        np.testing.assert_array_equal(store.get(result.dataset.digests[3])[:, :, 0], grey[3])


def test_sixteen_bit_scaling_is_said(tmp_path: Path, workspace: Workspace, write_scan) -> None:
    write_scan(tmp_path / "s" / "a" / "1.png", 1)
    (tmp_path / "s" / "b").mkdir()
    wide = np.random.default_rng(0).integers(0, 4096, (8, 8), np.uint16)
    Image.fromarray(wide).save(tmp_path / "s" / "b" / "1.png")
    result = import_scans(tmp_path / "s", workspace=workspace, name="t")
    assert any(note.startswith("1 scans of 16 bits were scaled to 8") for note in result.notes)


def test_copies_under_two_patients_are_said(tmp_path, workspace, write_scan) -> None:
    for name, seed in (("a/p1.png", 1), ("a/p2.png", 1), ("b/p3.png", 2)):
        write_scan(tmp_path / "s" / name, seed)
    result = import_scans(tmp_path / "s", workspace=workspace, name="t", group_pattern=r"(p\d)")
    assert "1 scans have copies under more than one patient" in result.notes[-1]


def test_unreadable_files_stop_the_import_or_are_left_out(class_folders, workspace) -> None:
    (class_folders / "no" / "broken.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=r"broken\.png is not a readable image"):
        import_scans(class_folders, workspace=workspace, name="t")
    (class_folders / "yes" / "void.png").touch()
    with pytest.raises(InputError, match="2 of 74 scans cannot be read; the first: .*void.png is e"):
        import_scans(class_folders, workspace=workspace, name="t")
    assert nothing_left(workspace)
    result = import_scans(class_folders, workspace=workspace, name="t", skip_unreadable=True)
    assert (result.flow.files, result.flow.readable, result.flow.imported) == (74, 72, 72)
    assert len(result.unreadable) == 2
    assert "2 unreadable files were left out." in result.notes


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a/1.png", "a/2.png"), "All 2 scans have the label 'a', expected at least two classes"),
        ((), "holds no scans"),
    ],
)
def test_one_class_or_none_is_refused(tmp_path, workspace, write_scan, names, message) -> None:
    (tmp_path / "s").mkdir()
    for seed, name in enumerate(names):
        write_scan(tmp_path / "s" / name, seed)
    with pytest.raises(InputError, match=message):
        import_scans(tmp_path / "s", workspace=workspace, name="t")
    assert nothing_left(workspace)


def test_an_existing_name_is_kept_unless_replaced(class_folders, workspace, dataset) -> None:
    with pytest.raises(InputError, match="'tiny' exists already: .*--replace"):
        import_scans(class_folders, workspace=workspace, name="tiny")
    for file in (class_folders / "no").glob("p0_*.png"):
        file.unlink()
    with dataset.open_pixels() as old:
        new = import_scans(class_folders, workspace=workspace, name="tiny", replace=True).dataset
        with new.open_pixels() as store:
            assert (len(old), len(store)) == (72, 69)
    assert [record.name for record in list_datasets(workspace)] == ["tiny"]
    with pytest.raises(InputError, match="one class|label 'no'"):
        only = class_folders / "no"
        (only / "x").mkdir()
        next(only.glob("*.png")).rename(only / "x" / "1.png")
        for file in only.glob("*.png"):
            file.rename(only / "x" / file.name)
        import_scans(only, workspace=workspace, name="tiny", replace=True, class_names={"x": "no"})
    assert len(load_dataset(workspace, "tiny")) == 69


def test_the_same_source_gives_the_same_digest(class_folders, workspace, dataset) -> None:
    again = import_scans(class_folders, workspace=workspace, name="again").dataset
    assert again.digest == dataset.digest


def test_a_full_disk_leaves_nothing(class_folders, workspace, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(ingest_module.PixelStore, "write_encoded", full)
    with pytest.raises(StorageError, match="disk is full"):
        import_scans(class_folders, workspace=workspace, name="t")
    assert nothing_left(workspace)


_CHILD = """
import sys, time
from pathlib import Path
from tumorlens.datasets import import_scans, ingest
from tumorlens.workspace import Workspace

prepare = ingest._prepare
def slow(job, **options):
    time.sleep(0.02)
    print(job[0], flush=True)
    return prepare(job, **options)
ingest._prepare = slow
import_scans(Path(sys.argv[1]), workspace=Workspace(Path(sys.argv[2])), name="killed")
"""


def _limit_file_size() -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
def test_a_real_refusal_to_grow_is_one_sentence(class_folders: Path, tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(class_folders), str(tmp_path / "w")],
        capture_output=True,
        text=True,
        preexec_fn=_limit_file_size,
        check=False,
    )
    assert "StorageError" in child.stderr.splitlines()[-1]
    assert nothing_left(Workspace(tmp_path / "w"))


@pytest.mark.slow
def test_a_kill_leaves_no_half_data_set(class_folders: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    for lines in (1, 20, 60):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(class_folders), str(workspace.root)],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert list_datasets(workspace) == ()
        assert list(workspace.datasets.iterdir())
    result = import_scans(class_folders, workspace=workspace, name="killed")
    assert len(result.dataset) == 72
    assert [entry.name for entry in workspace.datasets.iterdir()] == ["killed"]


@pytest.mark.realdata
def test_the_studys_scans(bohaju: Dataset) -> None:
    check = short_check(bohaju)
    assert (check.scans, check.distinct) == (3762, 3699)
    assert (check.exact_groups, check.scans_in_copies) == (50, 113)
    assert check.by_class == {"0": 2079, "1": 1683}
    assert bohaju.positive_class == "1"
    assert bohaju.manifest["source"][9] == "images/Image10.jpg"
    assert bohaju.record.groups < 1200
    assert check.near_twins is not None
    assert check.near_twins > 3400


@pytest.mark.realdata
@pytest.mark.slow
def test_a_published_layout_that_leaks(real_data: Path, workspace: Workspace) -> None:
    started = time.perf_counter()
    data = import_scans(real_data / "nickparvar", workspace=workspace, name="four", group_pattern=r"([^/]+)$").dataset
    print(f"\nimported {len(data)} scans in {time.perf_counter() - started:.1f} s")
    assert data.classes == ("glioma", "meningioma", "notumor", "pituitary")
    assert data.manifest["published_part"].value_counts().to_dict() == {"train": 1863, "test": 1311}
