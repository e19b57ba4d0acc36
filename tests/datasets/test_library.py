from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tumorlens.datasets import Dataset, list_datasets, load_dataset, remove_dataset
from tumorlens.datasets.record import read_record
from tumorlens.errors import InputError, IntegrityError, NotFoundError
from tumorlens.workspace import Workspace


def test_a_loaded_data_set_is_the_imported_one(workspace: Workspace, dataset: Dataset) -> None:
    again = load_dataset(workspace, "tiny")
    pd.testing.assert_frame_equal(again.manifest, dataset.manifest)
    assert again.record == dataset.record
    assert (again.name, len(again), again.classes) == ("tiny", 72, ("no", "yes"))
    assert (again.positive_class, again.scan_steps) == ("yes", ())
    assert (again.pixel_folder / "data.mdb").is_file()
    assert again.contact_sheet.read_bytes().startswith(b"\x89PNG")
    assert again.labels.tolist() == [0] * 36 + [1] * 36
    assert read_record(again.path / "dataset.json") == dataset.record


def test_lists_and_removes(workspace: Workspace, dataset: Dataset) -> None:
    (workspace.datasets / ".tmp-1-x").mkdir()
    (workspace.datasets / "stray").mkdir()
    assert [record.name for record in list_datasets(workspace)] == ["tiny"]
    remove_dataset(workspace, "tiny")
    assert list_datasets(workspace) == ()
    assert not dataset.path.exists()


def test_unknown_names_get_near_ones(workspace: Workspace, dataset: Dataset) -> None:
    with pytest.raises(NotFoundError, match=r"no data set 'tinny' .*did you mean tiny\?"):
        load_dataset(workspace, "tinny")
    with pytest.raises(NotFoundError, match="there are: tiny"):
        remove_dataset(workspace, "zebra")
    with pytest.raises(InputError, match="name must be"):
        load_dataset(workspace, "../tiny")


def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "none")
    assert list_datasets(empty) == ()
    with pytest.raises(NotFoundError, match="none yet: make one with 'tumorlens data import'"):
        load_dataset(empty, "a")


def change_label(folder: Path) -> None:
    manifest = pd.read_parquet(folder / "manifest.parquet")
    manifest.loc[0, "label"] = "yes"
    manifest.to_parquet(folder / "manifest.parquet")


def change_record(folder: Path, **values: object) -> None:
    file = folder / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change_label, "is not the manifest that was written"),
        (lambda f: (f / "manifest.parquet").write_bytes(b"PAR1"), "manifest.parquet is damaged"),
        (lambda f: (f / "manifest.parquet").unlink(), "manifest.parquet is damaged"),
        (lambda f: (f / "dataset.json").write_text("{"), "dataset.json is damaged"),
        (lambda f: change_record(f, format=99), "has format 99, this tumorlens reads up to 1"),
        (lambda f: change_record(f, groups_are="friends"), "dataset.json is damaged"),
        (lambda f: change_record(f, more=1), "dataset.json is damaged"),
    ],
)
def test_damage_is_noticed(workspace: Workspace, dataset: Dataset, damage, message: str) -> None:
    damage(dataset.path)
    with pytest.raises(IntegrityError, match=message):
        load_dataset(workspace, "tiny")


def test_damaged_thumbnails_are_noticed(dataset: Dataset) -> None:
    file = dataset.path / "thumbnails.npy"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(IntegrityError, match="is damaged"):
        dataset.thumbnails()
    file.unlink()
    with pytest.raises(IntegrityError, match="is damaged"):
        dataset.thumbnails()
