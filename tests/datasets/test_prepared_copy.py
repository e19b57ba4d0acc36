"""A prepared copy of a data set: the same rows, labels and groups, with the pixels of an import with its steps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorlens.datasets import (
    Dataset,
    find_prepared_copies,
    load_dataset,
    prepare_dataset,
    remove_dataset,
    split_by_group,
)
from tumorlens.datasets.original import original_split_digest
from tumorlens.datasets.relabel import relabel
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError
from tumorlens.scans import CUT, HARMONISED
from tumorlens.workflows.public_data import import_scans
from tumorlens.workspace import Workspace


@pytest.fixture(scope="module")
def place(tiny_study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Dataset]:
    workspace = Workspace.locate(tmp_path_factory.mktemp("crop")).create()
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    return workspace, load_dataset(workspace, "tiny")


@pytest.fixture(scope="module")
def cropped(place: tuple[Workspace, Dataset]) -> Dataset:
    return prepare_dataset(*place, CUT)


def test_rows_labels_and_groups_stay(place: tuple[Workspace, Dataset], cropped: Dataset) -> None:
    _, dataset = place
    assert cropped.name == "tiny-brain" and cropped.scan_steps == (*dataset.scan_steps, "crop=brain")
    for column in ("row_id", "source", "label", "group"):
        assert cropped.manifest[column].tolist() == dataset.manifest[column].tolist()
    assert (cropped.digests != dataset.digests).mean() > 0.9
    assert len(cropped.thumbnails()) == len(dataset)
    assert cropped.manifest["receipt"].str.startswith("crop=").all()


@pytest.mark.parametrize(("steps", "option"), [(CUT, {"crop": "brain"}), (HARMONISED, {"harmonise": True})])
def test_pixels_are_those_of_an_import_with_the_steps(tiny_study, place, steps, option, tmp_path: Path) -> None:
    copy = prepare_dataset(*place, steps)
    words = {"labels": tiny_study.folder / "labels.csv", "workspace": tmp_path / "other", **option}
    imported = import_scans(tiny_study.folder / "images", name="again", **words)
    assert imported.scan_steps == copy.scan_steps == steps.words
    by_source = imported.manifest.set_index("source")["pixel_digest"]
    assert by_source.loc[copy.manifest["source"]].tolist() == copy.digests.tolist()


def test_copies_with_other_steps_lie_side_by_side(place: tuple[Workspace, Dataset], cropped: Dataset) -> None:
    harmonised = prepare_dataset(*place, HARMONISED)
    assert harmonised.name == "tiny-harmonised" and harmonised.scan_steps == ("crop=brain", "harmonise=skull,levels")
    assert (harmonised.digests != cropped.digests).all()
    assert harmonised.manifest["receipt"].str.match(r"skull=.*; crop=.*; levels=").all()
    assert [copy.name for copy in find_prepared_copies(*place)] == ["tiny-brain", "tiny-harmonised"]


def test_scans_that_become_the_same_with_other_labels_have_no_copy(workspace: Workspace, tmp_path: Path) -> None:
    """Two pictures that differ outside the head alone."""
    rows, columns = np.mgrid[:90, :90]
    for place in range(8):
        head = np.where(np.hypot(rows - 45, columns - 45) < 20 + place // 2, 150, 0).astype(np.uint8)
        head[1, 1] = 10 + place % 2
        Image.fromarray(head).save(tmp_path / f"{place}.png")
    (tmp_path / "labels.csv").write_text("Image,Class\n" + "".join(f"{p},{'ab'[p % 2]}\n" for p in range(8)))
    dataset = import_scans(tmp_path, name="pairs", labels=tmp_path / "labels.csv", workspace=workspace.root)
    with pytest.raises(InputError, match=r"^'pairs' has no copy cut around the head: two of its scans with different"):
        prepare_dataset(workspace, dataset, CUT)
    assert [path.name for path in workspace.datasets.iterdir() if path.is_dir()] == ["pairs"]


def test_it_is_found_again(place: tuple[Workspace, Dataset], cropped: Dataset) -> None:
    made = (cropped.path / "dataset.json").stat().st_mtime_ns
    assert prepare_dataset(*place, CUT).digest == cropped.digest
    assert (cropped.path / "dataset.json").stat().st_mtime_ns == made


def test_another_data_set_of_its_name_is_left_alone(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny-brain")
    with pytest.raises(InputError, match=r"and is none: remove it \(tumorlens data remove tiny-brain\)"):
        prepare_dataset(workspace, tiny_study.dataset, CUT)


def test_a_copy_of_the_data_set_as_it_was_is_replaced(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    dataset = load_dataset(workspace, "tiny")
    prepare_dataset(workspace, dataset, CUT)
    changed = replace(dataset, record=replace(dataset.record, digest="0" * 64))
    assert find_prepared_copies(workspace, changed) == []
    prepare_dataset(workspace, changed, CUT)
    assert len(find_prepared_copies(workspace, changed)) == 1 and find_prepared_copies(workspace, dataset) == []


def test_corrected_labels_make_it_a_data_set_of_its_own(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    dataset = load_dataset(workspace, "tiny")
    copy = prepare_dataset(workspace, dataset, CUT)
    label = next(name for name in copy.classes if name != copy.manifest["label"][0])
    relabel(workspace, copy.name, {0: label}, new_name="mine")
    relabel(workspace, copy.name, {0: label})
    with pytest.raises(InputError, match="and is none: remove it"):
        prepare_dataset(workspace, dataset, CUT)
    assert remove_dataset(workspace, "tiny") == ["tiny"]
    assert load_dataset(workspace, "mine").manifest["label"][0] == label
    mine = load_dataset(workspace, "mine")
    split = split_by_group(dataset, seed=0)
    parts = make_split(split.parts, pixel_digests=mine.digests, protocol="grouped", seed=0, groups_are="patients")
    assert original_split_digest(mine, parts) == split.digest and original_split_digest(dataset, split) == ""


def test_another_import_takes_its_copies_away(tiny_study, workspace: Workspace) -> None:
    words = {"labels": tiny_study.folder / "labels.csv", "workspace": workspace.root, "name": "again"}
    dataset = import_scans(tiny_study.folder / "images", **words)
    prepare_dataset(workspace, dataset, CUT)
    import_scans(tiny_study.folder / "images", replace=True, **words)
    assert sorted(path.name for path in workspace.datasets.iterdir() if path.is_dir()) == ["again"]


def test_two_processes_make_one_copy(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    script = (
        "import sys; from pathlib import Path; from tumorlens.workspace import Workspace\n"
        "from tumorlens.datasets import load_dataset, prepare_dataset; from tumorlens.scans import CUT\n"
        "place = Workspace.locate(Path(sys.argv[1])); copy = prepare_dataset(place, load_dataset(place, 'tiny'), CUT)\n"
        "print((copy.path / 'dataset.json').stat().st_ino)"
    )
    words = [sys.executable, "-c", script, str(workspace.root)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({process.communicate(timeout=300)[0] for process in both}) == 1
    assert all(process.returncode == 0 for process in both)


def test_it_goes_with_its_original(tiny_study, workspace: Workspace) -> None:
    for name in ("tiny", "other"):
        shutil.copytree(tiny_study.dataset.path, workspace.datasets / name)
    for steps in (CUT, HARMONISED):
        prepare_dataset(workspace, load_dataset(workspace, "tiny"), steps)
    assert remove_dataset(workspace, "tiny") == ["tiny-brain", "tiny-harmonised", "tiny"]
    assert [path.name for path in workspace.datasets.iterdir() if path.is_dir()] == ["other"]
