"""A split is made once and found again by its seed."""

from __future__ import annotations

import json

import pytest

from tumorlens.datasets import Dataset, load_dataset
from tumorlens.datasets.relabel import relabel
from tumorlens.workflows.splits import prepare_split


@pytest.fixture
def own(tiny_study, tmp_path) -> Dataset:
    """A copy of the small data set whose splits nobody else touches."""
    import shutil

    from tumorlens.workspace import Workspace

    workspace = Workspace.locate(tmp_path / "own").create()
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    shutil.rmtree(workspace.datasets / "tiny" / "splits", ignore_errors=True)
    return load_dataset(workspace, "tiny")


def test_a_split_made_earlier_is_used_again(own: Dataset) -> None:
    first = prepare_split(own, protocol="grouped", seed=3)
    other = prepare_split(own, protocol="grouped", seed=4)
    assert first.digest != other.digest
    assert prepare_split(own, protocol="grouped", seed=3).digest == first.digest
    assert len(list(own.splits.iterdir())) == 2


def test_the_test_scans_stay_when_labels_are_corrected(own: Dataset) -> None:
    from tumorlens.workspace import Workspace

    before = prepare_split(own, protocol="grouped", seed=0)
    row = int(before.rows("train")[0])
    other = next(name for name in own.classes if name != own.manifest["label"][row])
    corrected = relabel(Workspace.locate(own.path.parents[1]), own.name, {row: other}, new_name="corrected")
    after = prepare_split(corrected, protocol="grouped", seed=0)
    assert list(after.rows("test")) == list(before.rows("test"))


def test_a_damaged_split_is_passed_over(own: Dataset) -> None:
    made = prepare_split(own, protocol="grouped", seed=0)
    file = next(own.splits.iterdir())
    document = json.loads(file.read_text())
    document["digest"] = "0" * 64
    file.write_text(json.dumps(document))
    assert prepare_split(own, protocol="grouped", seed=0).digest == made.digest
