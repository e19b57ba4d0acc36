from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.audit.conflicts import CONFLICT_SIMILARITY, label_conflicts
from tumorlens.audit.correction_queue import QUEUE_COLUMNS, _guard, _unguard, read_corrections, write_queue
from tumorlens.audit.findings import Contradiction, LabelConflict, Twin
from tumorlens.audit.twins import find_scan_twins
from tumorlens.datasets import load_dataset, load_split, save_split
from tumorlens.datasets.relabel import OLD_LABEL, relabel, settle_corrections
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError, NotFoundError
from tumorlens.workspace import Workspace


@pytest.fixture
def own(twin_study, tmp_path):
    """A copy of the data set in the test's own workspace."""
    workspace = Workspace.locate(tmp_path / "workspace").create()
    shutil.copytree(twin_study.dataset.path, workspace.datasets / "twins")
    return workspace


def test_the_copy_with_another_label_is_the_one_conflict(twin_study):
    (conflict,) = label_conflicts(twin_study.dataset, find_scan_twins(twin_study.dataset))
    rows = {twin_study.row("Training/a/4.png"): "a", twin_study.row("Testing/b/relabelled.jpg"): "b"}
    assert conflict.twin.kind == "copy"
    assert {conflict.twin.first: conflict.labels[0], conflict.twin.second: conflict.labels[1]} == rows


def test_neighbours_conflict_only_where_nearly_the_same(twin_study):
    a, b = twin_study.row("Training/a/1.png"), twin_study.row("Training/b/6.png")
    near = Twin(a, b, "neighbour", CONFLICT_SIMILARITY + 0.001)
    apart = Twin(a, b, "neighbour", CONFLICT_SIMILARITY - 0.001)
    mirrored, copy = Twin(a, b, "mirrored", 0.95), Twin(b, a, "copy", 0.9)
    same_label = Twin(a, twin_study.row("Training/a/2.png"), "copy", 1.0)
    found = label_conflicts(twin_study.dataset, (near, apart, mirrored, copy, same_label))
    assert [conflict.twin.kind for conflict in found] == ["copy", "mirrored", "neighbour"]
    assert [conflict.labels for conflict in found] == [("b", "a"), ("a", "b"), ("a", "b")]


def _queue(path, dataset, rows=(1, 6)):
    twin = Twin(rows[0], rows[1], "copy", 0.98765)
    labels = dataset.manifest["label"].tolist()
    conflicts = [LabelConflict(twin, (labels[rows[0]], labels[rows[1]]))]
    write_queue(path, dataset, conflicts, [Contradiction(rows[0], labels[rows[0]], "b", 0.93)])
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _fill(path, corrections):
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["corrected_label"] = corrections.get(int(row["row_id"]), "")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, QUEUE_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_the_queue_lists_each_scan_once_with_its_reasons(twin_study, tmp_path):
    rows = _queue(tmp_path / "queue.csv", twin_study.dataset)
    assert tuple(rows[0]) == QUEUE_COLUMNS
    assert [row["row_id"] for row in rows] == ["1", "6"]
    assert rows[0]["reason"] == "a copy has another label; the prediction contradicts the label"
    assert (rows[0]["similarity"], rows[0]["predicted"], rows[0]["probability"]) == ("0.9877", "b", "0.9300")
    assert rows[1]["other_source"] == twin_study.dataset.manifest["source"][1]
    assert {row["corrected_label"] for row in rows} == {""}


@given(st.text(alphabet="=+-@'\t ab0", max_size=6))
def test_no_cell_starts_like_a_formula_and_all_come_back(cell):
    assert not _guard(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert _unguard(_guard(cell)) == cell


def test_a_filled_in_queue_comes_back(twin_study, tmp_path):
    dataset = twin_study.dataset
    _queue(tmp_path / "queue.csv", dataset)
    present = dataset.manifest["label"].tolist()
    new = "b" if present[6] == "a" else "a"
    _fill(tmp_path / "queue.csv", {1: present[1], 6: new})
    assert read_corrections(tmp_path / "queue.csv", dataset) == {6: new}


def test_an_untouched_queue_is_refused(twin_study, tmp_path):
    _queue(tmp_path / "queue.csv", twin_study.dataset)
    with pytest.raises(InputError, match="corrects nothing"):
        read_corrections(tmp_path / "queue.csv", twin_study.dataset)
    with pytest.raises(NotFoundError):
        read_corrections(tmp_path / "none.csv", twin_study.dataset)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("row_id", "999", "row id '999'"),
        ("row_id", "-1", "row id '-1'"),
        ("row_id", "two", "row id 'two'"),
        ("pixel_digest", "0" * 64, "written for"),
        ("source", "elsewhere.png", "written for"),
        ("corrected_label", "c", "expected one of a, b"),
    ],
)
def test_a_queue_of_something_else_is_refused(twin_study, tmp_path, column, value, message):
    rows = _queue(tmp_path / "queue.csv", twin_study.dataset)
    changed = {**rows[0], "corrected_label": "b", column: value}
    with (tmp_path / "queue.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, QUEUE_COLUMNS)
        writer.writeheader()
        writer.writerow(changed)
    with pytest.raises(InputError, match=message):
        read_corrections(tmp_path / "queue.csv", twin_study.dataset)


def test_a_row_that_was_corrected_since_is_refused(twin_study, tmp_path):
    dataset = twin_study.dataset
    _queue(tmp_path / "queue.csv", dataset)
    present = dataset.manifest["label"].tolist()
    other = "b" if present[1] == "a" else "a"
    manifest = dataset.manifest.copy()
    manifest.loc[1, "label"] = other
    corrected = replace(dataset, manifest=manifest)
    _fill(tmp_path / "queue.csv", {1: present[1]})
    with pytest.raises(InputError, match=f"labelled '{present[1]}', and it is '{other}'.*audit again"):
        read_corrections(tmp_path / "queue.csv", corrected)
    _fill(tmp_path / "queue.csv", {1: other})
    assert read_corrections(tmp_path / "queue.csv", corrected) == {}  # the correction read again


def test_a_missing_column_is_named(twin_study, tmp_path):
    (tmp_path / "queue.csv").write_text("row_id,source,pixel_digest\n0,a,b\n")
    with pytest.raises(InputError, match="corrected_label"):
        read_corrections(tmp_path / "queue.csv", twin_study.dataset)


def test_copies_follow_and_may_not_differ(twin_study):
    one, two = twin_study.row("Training/a/0.png"), twin_study.row("Testing/a/same.png")
    assert settle_corrections(twin_study.dataset, {one: "b"}) == {one: "b", two: "b"}
    with pytest.raises(InputError, match="same pixels"):
        settle_corrections(twin_study.dataset, {one: "b", two: "a"})


def test_relabelling_keeps_the_old_label_through_two_rounds(own):
    before = load_dataset(own, "twins")
    one = before.manifest["source"].tolist().index("Training/a/0.png")
    after = relabel(own, "twins", {one: "b"})
    assert after.manifest["label"][one] == "b"
    assert after.manifest[OLD_LABEL].tolist() == before.manifest["label"].tolist()
    assert after.digest != before.digest
    assert any(note.startswith("2 labels were corrected by hand") for note in after.record.notes)
    assert after.record.flow.by_class["b"] == before.record.flow.by_class["b"] + 2
    assert sum(after.record.flow.by_class.values()) == len(before)
    again = relabel(own, "twins", {one: "a"})
    assert again.digest == before.digest
    assert again.manifest[OLD_LABEL].tolist() == before.manifest["label"].tolist()
    assert again.record.notes == before.record.notes


def test_a_new_name_leaves_the_old_data_set_alone(own):
    before = load_dataset(own, "twins")
    made = relabel(own, "twins", {1: "b"}, new_name="better")
    old = load_dataset(own, "twins")
    assert (made.name, old.digest) == ("better", before.digest)
    assert OLD_LABEL not in old.manifest.columns
    assert np.array_equal(made.thumbnails(), old.thumbnails())
    with made.open_pixels() as store, old.open_pixels() as old_store:
        digest = str(made.digests[1])
        assert np.array_equal(store.get(digest), old_store.get(digest))
    with pytest.raises(InputError, match="exists already"):
        relabel(own, "twins", {1: "b"}, new_name="better")


def test_splits_stay_unless_a_part_would_lack_a_class(own):
    dataset = load_dataset(own, "twins")
    labels = dataset.manifest["label"].to_numpy()
    copies = np.flatnonzero(dataset.digests == dataset.digests[np.flatnonzero(dataset.manifest["copy_of"] != -1)[0]])
    free = np.setdiff1d(np.arange(len(dataset)), copies)
    a, b = free[labels[free] == "a"], free[labels[free] == "b"]
    for name, only in (("kept", 2), ("dropped", 1)):
        parts = np.full(len(dataset), "train", dtype="<U11")
        parts[[*a[:only], b[0]]] = "test"
        parts[[a[2], b[1]]] = "validation"
        split = make_split(parts, pixel_digests=dataset.digests, protocol="study", seed=0, groups_are="none")
        save_split(split, dataset.splits / f"{name}.json")
    changed = relabel(own, "twins", {int(a[0]): "b"})
    assert [file.name for file in changed.splits.iterdir()] == ["kept.json"]
    assert len(load_split(changed.splits / "kept.json", dataset=changed).rows("test")) == 3


@pytest.mark.parametrize(
    ("corrections", "message"),
    [
        ({1: "c"}, "expected one of a, b"),
        ({999: "b"}, "no row 999"),
        ({}, "No label"),
        (dict.fromkeys(range(19), "a"), "no scan of class 'b'"),
    ],
)
def test_a_refused_correction_changes_nothing(own, corrections, message):
    before = load_dataset(own, "twins")
    with pytest.raises(InputError, match=message):
        relabel(own, "twins", corrections)
    assert load_dataset(own, "twins").digest == before.digest
    assert [folder.name for folder in own.datasets.iterdir()] == ["twins"]


def test_a_failure_half_way_loses_nothing(own, monkeypatch):
    before = load_dataset(own, "twins")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tumorlens.datasets.relabel.contact_sheet", fail)
    with pytest.raises(Exception, match="disk is full"):
        relabel(own, "twins", {1: "b"})
    after = load_dataset(own, "twins")
    assert after.manifest.equals(before.manifest)
    assert [folder.name for folder in own.datasets.iterdir()] == ["twins"]
