"""Ensembles of finished runs: chosen on validation alone, one graph, and a run like any other."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tumorlens as tl
from tumorlens.bundles import Predictor, read_card, write_card
from tumorlens.cli.main import main
from tumorlens.errors import InputError, IntegrityError, NotFoundError
from tumorlens.evaluation import OperatingWish
from tumorlens.runtime import calibrate
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.ensemble import EnsembleSettings, make_ensemble
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.report import report_result
from tumorlens.workflows.runs import PREDICTIONS_FILE, find_run, list_runs, read_predictions, remove_run
from tumorlens.workspace import Workspace

_COLUMNS = ["probability_no_tumor", "probability_tumor"]


@pytest.fixture(scope="module")
def place(tiny_study, tiny_comparison, tmp_path_factory) -> tuple[Workspace, list[str]]:
    """A copy of the small workspace with a linear and an MLP head, and the names of their runs."""
    root = tmp_path_factory.mktemp("ensemble") / "workspace"
    shutil.copytree(tiny_study.workspace.root, root)
    workspace = Workspace.locate(root)
    for run in list_runs(workspace):
        if run.name != tiny_comparison.best_run.name:
            remove_run(workspace, run.name)
    settings = CompareSettings(backbones=("efficientnet-lite0",), heads=("mlp",), size=64)
    (mlp,) = compare_networks("tiny", settings, workspace=workspace).runs
    return workspace, [tiny_comparison.best_run.name, mlp.name]


@pytest.fixture(scope="module")
def plain(place):
    """The plain average of both."""
    workspace, names = place
    return make_ensemble(EnsembleSettings(runs=tuple(names), take_all=True), workspace=workspace)


@pytest.fixture
def copy(place, tmp_path) -> tuple[Workspace, list[str]]:
    """The workspace once more, to change it."""
    workspace, names = place
    shutil.copytree(workspace.root, tmp_path / "copy")
    return Workspace.locate(tmp_path / "copy"), names


def _members(place) -> list:
    workspace, names = place
    return [find_run(workspace, name) for name in sorted(names)]


def test_answers_are_the_calibrated_average_of_the_members(tiny_study, place, plain) -> None:
    own = [read_predictions(run.folder)[_COLUMNS].to_numpy() for run in _members(place)]
    card = read_card(plain.run.bundle)
    expected = calibrate(np.mean(own, axis=0), card.scaling)
    stored = read_predictions(plain.run.folder)[_COLUMNS].to_numpy()
    np.testing.assert_allclose(stored, expected, atol=1e-5)
    scan = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][0]
    answer = plain.model.predict(scan)
    np.testing.assert_allclose(list(answer.probabilities.values()), expected[0], atol=1e-5)
    single = Predictor(_members(place)[0].bundle).predict(scan)
    assert answer.class_maps.shape == single.class_maps.shape
    assert answer.similar is not None and answer.similar[0].distance == pytest.approx(0.0, abs=1e-2)


def test_the_card_names_members_and_nothing_that_is_not_there(place, plain) -> None:
    card = read_card(plain.run.bundle)
    assert (card.backbone, card.head, card.size) == (None, None, None)
    assert card.title == "Ensemble of 2 models" and card.sizes == (64,) and len(card.networks) == 1
    assert {member["model"]: member["digest"] for member in card.members} == {
        own.model: own.digest for own in (read_card(run.bundle) for run in _members(place))
    }
    assert [member["weight"] for member in card.members] == [0.5, 0.5]
    assert {path.name for path in plain.run.bundle.iterdir()} == {"model.xml", "model.bin", "bundle.json"}
    assert card.heatmap_check is not None and card.marks == ("synthetic",)


def test_it_is_a_run_like_any_other(place, plain) -> None:
    workspace, names = place
    assert plain.run.name in {run.name for run in list_runs(workspace)}
    row = plain.run.row
    assert (row.kind, row.backbone, row.head) == ("ensemble", "ensemble", None)
    assert row.members == dict.fromkeys(sorted(names), 0.5)
    assert [step["added"] for step in plain.run.history] == sorted(names)
    assert "An ensemble of 2 models" in plain.run.methods and "none was chosen" in plain.run.methods
    found = tl.evaluate(plain.run.name, "tiny", workspace=workspace.root)
    assert found.to_json()["metrics"]["accuracy"]["value"] == pytest.approx(row.test_accuracy)


def test_the_difference_to_the_best_single_run_is_kept(place, plain, capsys) -> None:
    workspace, names = place
    (difference,) = plain.run.differences
    best = max(_members(place), key=lambda run: (run.row.val_accuracy, -run.row.val_loss))
    assert (difference.first, difference.second) == (plain.run.name, best.name)
    assert difference.value == pytest.approx(plain.run.row.test_accuracy - best.row.test_accuracy)
    words = ["--workspace", str(workspace.root), "--quiet", "ensemble", *names, "--all"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert f"Test accuracy against {best.name}: " in out and "sign-flip test over" in out
    assert main(["--json", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["differences"][0]["value"] == pytest.approx(difference.value)
    assert document["members"] == dict.fromkeys(sorted(names), 0.5)
    docs = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
    section = docs.split("## `ensemble`")[1].split("\n## ")[0] + docs.split("## `compare`")[1].split("\n## ")[0]
    assert set(document) - set(re.findall(r"`([^`\n]+)`", section)) == set()


def test_again_finds_the_finished_one_in_any_order_and_opens_no_test(place, plain) -> None:
    workspace, names = place
    before = count_openings(workspace, plain.run.split_digest)
    for runs in (names, names[::-1], [*names, names[0]]):
        again = make_ensemble(EnsembleSettings(runs=tuple(runs), take_all=True), workspace=workspace)
        assert again.run.created == plain.run.created and again.run.name == plain.run.name
    assert count_openings(workspace, plain.run.split_digest) == before
    assert tl.ensemble(_members(place), take_all=True).run.name == plain.run.name


def test_the_report_knows_the_members(place, plain, tmp_path) -> None:
    workspace, names = place
    result = report_result(plain.run.name, workspace=workspace, out=tmp_path, pictures=False)
    page = (tmp_path / "report.html").read_text()
    assert result.kind == "run"
    assert "Members of the ensemble" in page and "Differences in test accuracy" in page
    assert "area and brightness" in page  # the baselines of the comparison that holds a member
    assert all(name in page for name in names)
    card, bibliography = ((tmp_path / name).read_text() for name in ("model-card.md", "references.bib"))
    assert "several models, the weighted mean" in card and "linear head" in card and "mlp head" in card
    assert "1905.11946" in bibliography  # the members' network
    assert "caruana2004" not in bibliography  # nothing was chosen


def test_members_are_chosen_on_the_validation_part_alone(copy) -> None:
    """Stored answers are changed so that the two make up for each other there, and are hopeless elsewhere."""
    workspace, names = copy
    for sure, name in enumerate(names):
        file = workspace.runs / name / PREDICTIONS_FILE
        table = pd.read_parquet(file)
        right = np.where(np.arange(len(table)) % 2 == sure, 0.95, 0.5)
        right[table["part"] != "validation"] = 0.01 if sure else 0.99
        tumor = np.where(table["reference_label"] == "tumor", right, 1 - right)
        table[_COLUMNS] = np.stack([1 - tumor, tumor], axis=1)
        table.to_parquet(file, index=False)
    settings = EnsembleSettings(runs=tuple(names), name="both", wish=OperatingWish("sensitivity", 0.9))
    found = make_ensemble(settings, workspace=workspace)
    assert found.run.name == "both"
    assert list(found.members.values()) == pytest.approx([0.5, 0.5], abs=0.1)
    kept = [step for step in found.run.history if step["kept"]]
    assert kept[-1]["val_loss"] < kept[0]["val_loss"]
    assert "greedy forward selection with replacement" in found.run.methods
    assert "validation part, which chose its members too" in read_card(found.run.bundle).operating_point.basis
    with pytest.raises(InputError, match="Another run is called both"):
        make_ensemble(replace(settings, take_all=True), workspace=workspace)
    with pytest.raises(InputError, match=r"is an ensemble itself: give its members"):
        make_ensemble(EnsembleSettings(runs=("both", names[0])), workspace=workspace)


def test_one_that_is_best_alone_is_named_and_nothing_is_made(place) -> None:
    workspace, names = place
    before = {path.name for path in workspace.runs.iterdir()}
    with pytest.raises(InputError, match=f"than {names[1]} alone"):
        make_ensemble(EnsembleSettings(runs=tuple(names)), workspace=workspace)
    assert {path.name for path in workspace.runs.iterdir()} == before


def test_refuses_finer_maps(plain) -> None:
    with pytest.raises(InputError, match=r"An ensemble has no finer map: .* ask a member \(tiny-grouped"):
        Predictor(plain.run.bundle, heatmap_size=128)


@pytest.mark.parametrize("runs", [(), ("one",), ("one", "one")])
def test_refuses_fewer_than_two_runs(workspace, runs) -> None:
    with pytest.raises(InputError, match="at least two different runs"):
        make_ensemble(EnsembleSettings(runs=runs), workspace=workspace)


def test_refuses_an_unknown_run(workspace) -> None:
    with pytest.raises(NotFoundError, match="got 'one'"):
        make_ensemble(EnsembleSettings(runs=("one", "two")), workspace=workspace)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manifest_digest": "0" * 64}, "the same data set"),
        ({"split_digest": "0" * 64}, "the same split"),
        ({"scan_steps": ("crop brain",)}, "the same steps between file and graph"),
    ],
)
def test_refuses_runs_of_other_scans_or_parts(copy, change, words) -> None:
    workspace, names = copy
    bundle = find_run(workspace, names[1]).bundle
    write_card(bundle, replace(read_card(bundle), **change))
    with pytest.raises(InputError, match=words):
        make_ensemble(EnsembleSettings(runs=tuple(names), take_all=True), workspace=workspace)


def test_refuses_leaky_beside_grouped(copy) -> None:
    workspace, names = copy
    config = find_run(workspace, names[1]).folder / "config.toml"
    config.write_text(config.read_text().replace('protocol = "grouped"', 'protocol = "study"'))
    with pytest.raises(InputError, match="grouped and leaky runs are never mixed"):
        make_ensemble(EnsembleSettings(runs=tuple(names), take_all=True), workspace=workspace)


def test_refuses_a_mistake_and_a_run_without_or_with_a_changed_bundle(copy) -> None:
    workspace, names = copy
    settings = EnsembleSettings(runs=tuple(names), take_all=True)
    run = find_run(workspace, names[1])
    metrics = json.loads((run.folder / "metrics.json").read_text())
    metrics["row"]["mistake"] = "split"
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(InputError, match="a mistake on purpose: leave it out"):
        make_ensemble(settings, workspace=workspace)
    metrics["row"]["mistake"] = None
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    (run.bundle / "model.bin").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"model\.bin was changed"):
        make_ensemble(settings, workspace=workspace)
    shutil.rmtree(run.bundle)
    with pytest.raises(IntegrityError, match="has no bundle any more"):
        make_ensemble(settings, workspace=workspace)


def test_refuses_a_changed_data_set(copy) -> None:
    workspace, names = copy
    shutil.rmtree(workspace.datasets / "tiny" / "splits")
    settings = EnsembleSettings(runs=tuple(names), take_all=True)
    with pytest.raises(InputError, match="not kept with 'tiny' any more"):
        make_ensemble(settings, workspace=workspace)
    shutil.rmtree(workspace.datasets / "tiny")
    with pytest.raises(NotFoundError, match="no data set 'tiny'"):
        make_ensemble(settings, workspace=workspace)
