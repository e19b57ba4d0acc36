"""An audit from end to end: complete, written as one folder, repeatable; what cannot be done is said."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tumorlens.audit.findings import Contradiction, LabelConflict, Twin
from tumorlens.datasets import Dataset, import_scans
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import SILENT
from tumorlens.workflows import audit_compute
from tumorlens.workflows.audit import AuditSettings, _digest, audit_dataset
from tumorlens.workflows.audit_relabel import relabel_from_queue
from tumorlens.workflows.audit_short import short_finding, worst_finding
from tumorlens.workflows.audit_steps import AuditSteps

_SETTINGS = AuditSettings(size=64)
_FAST = replace(_SETTINGS, price=False)
_NOISY = range(5)


@pytest.fixture(scope="module")
def result(tiny_study):
    return audit_dataset(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)


@pytest.fixture(scope="module")
def fast_result(tiny_study):
    return audit_dataset("tiny", _FAST, workspace=tiny_study.workspace)


def test_every_part_is_filled(result, tiny_study) -> None:
    audit = result.audit
    assert (audit.scans, audit.groups, audit.groups_are) == (64, 16, "patients")
    assert audit.synthetic and audit.digest == tiny_study.dataset.digest
    assert sum(audit.by_class.values()) == 64
    assert audit.twins.exact_groups == 0 and audit.twins.clusters <= 64
    assert len(audit.leaks) == 1 and audit.leaks[0].test_scans > 0
    assert audit.leakage is not None and audit.leakage.backbone == "efficientnet-lite0"
    assert 0 <= audit.leakage.grouped.low <= audit.leakage.grouped.accuracy <= audit.leakage.grouped.high <= 1
    assert audit.shortcuts[0].accuracy == max(shortcut.accuracy for shortcut in audit.shortcuts)
    assert {"twins", "shortcuts", "network", "features", "price of leakage"} <= set(audit.seconds)
    assert audit.created.endswith("+00:00")
    assert audit.predicted_by == "efficientnet-lite0"


def test_the_folder_is_whole(result) -> None:
    folder = result.folder
    assert {entry.name for entry in folder.iterdir()} == {"audit.html", "audit.json", "queue.csv", "plots"}
    assert {entry.name for entry in (folder / "plots").iterdir()} >= {"leakage-curve.png", "shortcuts.png"}
    stored = json.loads((folder / "audit.json").read_text("utf-8"))
    document = result.to_json()
    assert document.pop("report") == str(folder / "audit.html") and document.pop("queue") == str(folder / "queue.csv")
    assert stored == document
    with (folder / "queue.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({*_doubted(result.audit)})
    assert "Synthetic: the scans are made up" in result.report.read_text("utf-8")
    assert not [entry for entry in folder.parent.iterdir() if entry.name.startswith(".")]


def _doubted(audit) -> list[int]:
    pairs = [row for conflict in audit.label_conflicts for row in (conflict.twin.first, conflict.twin.second)]
    return pairs + [one.row_id for one in audit.contradictions]


def test_again_takes_the_place_of_the_first(fast_result, tiny_study) -> None:
    again = audit_dataset("tiny", _FAST, workspace=tiny_study.workspace)
    assert again.folder == fast_result.folder
    assert replace(again.audit, seconds={}, created="") == replace(fast_result.audit, seconds={}, created="")
    digests = {_digest(tiny_study.dataset, {}, replace(_FAST, seed=seed), None) for seed in (0, 1)}
    assert len(digests) == 2 and fast_result.folder.name.removeprefix("tiny-") in digests


def test_without_a_network_nothing_is_priced_and_it_is_said(fast_result, monkeypatch) -> None:
    audit = fast_result.audit
    assert audit.leakage is None and audit.contradictions == ()
    assert audit.notes[0].startswith("No network was run, as asked")
    assert audit.shortcuts and "features" not in audit.seconds
    assert audit.notes[0] in fast_result.report.read_text("utf-8")
    assert any(audit.notes[0] in line for line in fast_result.lines())


def test_against_another_data_set_shared_scans_are_counted(tiny_study, workspace) -> None:
    for name in ("one", "two"):
        import_scans(
            tiny_study.folder / "images",
            workspace=workspace,
            name=name,
            labels=tiny_study.folder / "labels.csv",
            group_column="patient_id",
            synthetic=True,
        )
    result = audit_dataset("one", replace(_FAST, against=("two",)), workspace=workspace)
    assert result.audit.against["two"].exact == 64
    assert result.to_json()["against"]["two"]["exact"] == 64
    assert "one against two" in result.report.read_text("utf-8")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (replace(_SETTINGS, against=("tiny",)), InputError, "another data set"),
        (replace(_SETTINGS, against=("nothing",)), NotFoundError, "no data set 'nothing'"),
        (replace(_SETTINGS, backbone="resnet5"), NotFoundError, "resnet50"),
        (replace(_SETTINGS, weights="nowhere.h5"), InputError, "nowhere.h5"),
    ],
)
def test_what_can_be_refused_is_refused_before_any_step(tiny_study, monkeypatch, settings, error, message) -> None:
    monkeypatch.setattr("tumorlens.workflows.audit.compute_audit", _never)
    with pytest.raises(error, match=message):
        audit_dataset("tiny", settings, workspace=tiny_study.workspace)


def _never(*_: object) -> None:
    raise AssertionError("a step was started")


def test_one_group_leaves_notes_and_not_a_crash(result, tiny_study, workspace, tmp_path) -> None:
    for cached in ("graphs", "features"):  # what the first audit computed of the same pixels
        shutil.copytree(tiny_study.workspace.root / cached, workspace.root / cached)
    labels = tmp_path / "labels.csv"
    source = tiny_study.folder / "labels.csv"
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["one"] = "the only patient"
    with labels.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    import_scans(tiny_study.folder / "images", workspace=workspace, name="alone", labels=labels, group_column="one")
    audit = audit_dataset("alone", _SETTINGS, workspace=workspace).audit
    assert audit.groups == 1 and audit.leakage is None and audit.leaks == () and audit.shortcuts == ()
    told = " ".join(audit.notes)
    for step in ("Grouped split", "Shortcuts", "Predictions out of fold"):
        assert f"{step}: " in told


def test_a_price_of_some_scans_is_said_to_be_one(tiny_study, result, monkeypatch) -> None:
    steps = AuditSteps(SILENT)
    some = replace(result.audit.leakage, judged_scans=20)
    monkeypatch.setattr(audit_compute, "price_of_leakage", lambda *_, **__: some)
    context = SimpleNamespace(
        dataset=tiny_study.dataset, network=SimpleNamespace(spec=SimpleNamespace(name="x")), steps=steps, seed=0
    )
    context.progress = SILENT
    assert audit_compute._price(context, np.ones((64, 1)), SimpleNamespace(strength=0.1), ()) is some
    assert steps.notes == ["Price of leakage: computed on 20 of 64 scans, whole groups chosen at random."]


def test_steps_turn_a_refusal_into_a_note_and_let_faults_pass() -> None:
    steps = AuditSteps(SILENT)
    assert steps.run("price", lambda: _refuse("too few groups"), otherwise=7) == 7
    assert steps.notes == ["Price: too few groups"] and steps.seconds["price"] >= 0
    with pytest.raises(InputError):
        steps.do("twins", lambda: _refuse("no scans"))
    with pytest.raises(ZeroDivisionError):
        steps.run("price", lambda: 1 // 0, otherwise=0)
    assert steps.notes == ["Price: too few groups"]


def _refuse(reason: str) -> int:
    raise InputError(reason)


def test_a_corrected_queue_makes_a_new_data_set(tiny_study, workspace, tmp_path) -> None:
    from tumorlens.audit.correction_queue import write_queue

    dataset = import_scans(
        tiny_study.folder / "images",
        workspace=workspace,
        name="wrong",
        labels=tiny_study.folder / "labels.csv",
        group_column="patient_id",
    ).dataset
    label = dataset.manifest["label"][3]
    right = next(name for name in dataset.classes if name != label)
    queue = tmp_path / "queue.csv"
    twin = Twin(0, 1, "copy", 0.99)
    conflict = LabelConflict(twin, (dataset.manifest["label"][0], dataset.manifest["label"][1]))
    write_queue(queue, dataset, (conflict,), (Contradiction(3, label, right, 0.99),))
    with queue.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    next(row for row in rows if row["row_id"] == "3")["corrected_label"] = right
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    result = relabel_from_queue("wrong", queue, workspace=workspace, new_name="right")
    assert result.relabelled == 1 and result.dataset.manifest["label"][3] == right
    assert result.lines()[0].startswith("right: the labels of 1 scan were corrected; now ")
    assert dataset.manifest["label"][3] == label


def _with(dataset: Dataset, **columns: object) -> Dataset:
    return replace(dataset, manifest=dataset.manifest.assign(**columns))


def test_short_form_names_the_planted_shortcut(tiny_study) -> None:
    dataset = tiny_study.dataset
    plain = _with(dataset, area=0.5, brightness=0.5)
    modes = np.where(dataset.labels == 1, "RGB", "L")
    said = short_finding(_with(plain, mode=modes))
    assert said[0].startswith("64 scans in 16 patients, 64 distinct")
    assert said[1].startswith("Worst: image mode alone tells about 100 % of the labels")
    assert said[-1] == "The whole audit: tumorlens data audit tiny"


def test_short_form_does_not_take_the_patient_for_a_shortcut(tiny_study) -> None:
    dataset = tiny_study.dataset
    constant = _with(dataset, area=0.5, brightness=0.5, mode="L", format="PNG", height=64, width=64)
    assert len(short_finding(constant)) == 2
    _, patients = np.unique(dataset.groups, return_inverse=True)
    by_patient = _with(constant, mode=[f"mode {patient}" for patient in patients])
    assert len(short_finding(by_patient)) == 2  # a mode of another patient tells nothing


def test_short_form_does_not_take_noise_for_a_shortcut(tiny_study) -> None:
    dataset = tiny_study.dataset
    constant = _with(dataset, brightness=0.5, mode="L", format="PNG", height=64, width=64)
    for seed in _NOISY:
        noisy = _with(constant, area=np.random.default_rng(seed).random(len(dataset)))
        assert worst_finding(noisy) is None, seed
    assert len(short_finding(noisy)) == 2


def test_short_form_names_copies_across_the_published_split(tiny_study) -> None:
    dataset = tiny_study.dataset
    parts = np.resize(["train", "test"], len(dataset))
    digests = dataset.digests.copy()
    digests[1::4] = digests[0::4]  # every second test scan
    constant = _with(dataset, area=0.5, brightness=0.5, mode="L", format="PNG", height=64, width=64)
    said = short_finding(_with(constant, published_part=parts, pixel_digest=digests))
    assert said[1] == f"Worst: {worst_finding(_with(constant, published_part=parts, pixel_digest=digests))}"
    assert "16 of 32 scans of the published test part (50 %) have the same pixels in its training part." in said[1]
