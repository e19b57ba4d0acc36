"""The cropped copy of a data set: the same rows, labels and groups, with the pixels of an import with --crop brain."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tumorlens.datasets import Dataset, crop_dataset, find_cropped_copy, load_dataset, remove_dataset
from tumorlens.datasets.cropped_copy import CROP_STEP
from tumorlens.errors import InputError
from tumorlens.workflows.public_data import import_scans
from tumorlens.workspace import Workspace


@pytest.fixture(scope="module")
def place(tiny_study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Dataset]:
    workspace = Workspace.locate(tmp_path_factory.mktemp("crop")).create()
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    return workspace, load_dataset(workspace, "tiny")


@pytest.fixture(scope="module")
def cropped(place: tuple[Workspace, Dataset]) -> Dataset:
    return crop_dataset(*place)


def test_rows_labels_and_groups_stay(place: tuple[Workspace, Dataset], cropped: Dataset) -> None:
    _, dataset = place
    assert cropped.name == "tiny-brain" and cropped.scan_steps == (*dataset.scan_steps, CROP_STEP)
    for column in ("row_id", "source", "label", "group"):
        assert cropped.manifest[column].tolist() == dataset.manifest[column].tolist()
    assert (cropped.digests != dataset.digests).mean() > 0.9
    assert len(cropped.thumbnails()) == len(dataset)
    assert cropped.manifest["receipt"].str.startswith("crop=").all()


def test_pixels_are_those_of_an_import_with_the_crop(tiny_study, cropped: Dataset, tmp_path: Path) -> None:
    words = {"labels": tiny_study.folder / "labels.csv", "crop": "brain", "workspace": tmp_path / "other"}
    imported = import_scans(tiny_study.folder / "images", name="again", **words)
    by_source = imported.manifest.set_index("source")["pixel_digest"]
    assert by_source.loc[cropped.manifest["source"]].tolist() == cropped.digests.tolist()


def test_it_is_found_again(place: tuple[Workspace, Dataset], cropped: Dataset) -> None:
    made = (cropped.path / "dataset.json").stat().st_mtime_ns
    assert crop_dataset(*place).digest == cropped.digest
    assert (cropped.path / "dataset.json").stat().st_mtime_ns == made


def test_another_data_set_of_its_name_is_left_alone(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny-brain")
    with pytest.raises(InputError, match=r"and is none: remove it \(tumorlens data remove tiny-brain\)"):
        crop_dataset(workspace, tiny_study.dataset)


def test_a_copy_of_the_data_set_as_it_was_is_replaced(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    dataset = load_dataset(workspace, "tiny")
    crop_dataset(workspace, dataset)
    changed = replace(dataset, record=replace(dataset.record, digest="0" * 64))
    assert find_cropped_copy(workspace, changed) is None
    crop_dataset(workspace, changed)
    assert find_cropped_copy(workspace, changed) is not None and find_cropped_copy(workspace, dataset) is None


def test_it_goes_with_its_original(tiny_study, workspace: Workspace) -> None:
    for name in ("tiny", "other"):
        shutil.copytree(tiny_study.dataset.path, workspace.datasets / name)
    crop_dataset(workspace, load_dataset(workspace, "tiny"))
    assert remove_dataset(workspace, "tiny") == ["tiny-brain", "tiny"]
    assert [path.name for path in workspace.datasets.iterdir()] == ["other"]
