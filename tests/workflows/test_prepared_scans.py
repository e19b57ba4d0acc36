"""Scans cut around the head: one split, one test part, models that cut for themselves."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.datasets import load_dataset, prepare_dataset
from tumorlens.errors import InputError
from tumorlens.progress import SILENT
from tumorlens.scans import CUT
from tumorlens.workflows.compare import CompareSettings, ComparisonResult, compare_networks
from tumorlens.workflows.cross_validation import cross_validate, with_folds
from tumorlens.workflows.evaluate import evaluate_model
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.prepared_scans import Scans, choose_scans
from tumorlens.workflows.public_data import import_scans
from tumorlens.workflows.runs import read_predictions
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace

_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64, crop="brain")


@pytest.fixture(scope="module")
def place(tiny_study, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.locate(tmp_path_factory.mktemp("crops")).create()
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    return workspace


@pytest.fixture(scope="module")
def stored(place: Workspace) -> Scans:
    dataset = load_dataset(place, "tiny")
    return Scans(dataset, prepare_split(dataset, protocol="grouped", seed=0))


@pytest.fixture(scope="module")
def as_stored(place: Workspace) -> ComparisonResult:
    return compare_networks("tiny", replace(_SETTINGS, crop="auto"), workspace=place)


@pytest.fixture(scope="module")
def cropped(place: Workspace, as_stored: ComparisonResult) -> ComparisonResult:
    return compare_networks("tiny", _SETTINGS, workspace=place)


def test_heads_alone_are_given_scans_as_stored(as_stored) -> None:
    assert as_stored.comparison.dataset == "tiny"
    assert Predictor(as_stored.runs[0].bundle).card.scan_steps == ()


def test_the_same_rows_are_tested(as_stored, cropped) -> None:
    assert cropped.comparison.dataset == "tiny-brain"
    first, second = (read_predictions(result.runs[0].folder) for result in (as_stored, cropped))
    assert first["part"].tolist() == second["part"].tolist()
    assert (first["pixel_digest"] != second["pixel_digest"]).mean() > 0.9
    assert cropped.comparison.parts == as_stored.comparison.parts


def test_the_model_cuts_scans_for_itself(stored, cropped) -> None:
    table = read_predictions(cropped.runs[0].folder)
    predictor = Predictor(cropped.runs[0].bundle)
    row = int(np.flatnonzero(table["part"] == "test")[0])
    with stored.dataset.open_pixels() as pixels:
        answer = predictor.predict(pixels.get(str(stored.dataset.digests[row])))
    assert answer.probabilities["tumor"] == pytest.approx(table["probability_tumor"][row], abs=1e-5)


def test_openings_of_both_are_counted_together(place: Workspace, stored, cropped) -> None:
    digests = {stored.split.digest, cropped.runs[0].split_digest}
    assert len(digests) == 2
    assert {count_openings(place, digest) for digest in digests} == {2}


def test_evaluated_on_the_original_it_is_judged_on_its_own_test_part(place: Workspace, cropped) -> None:
    run = cropped.runs[0]
    found = evaluate_model(run.name, "tiny", workspace=place)
    assert not found.external and found.dataset == "tiny-brain"
    assert found.summary.metrics["accuracy"].value == pytest.approx(run.row.test_accuracy)


def test_folds_can_be_of_cropped_scans(place: Workspace, cropped) -> None:
    result = cross_validate("tiny", with_folds(_SETTINGS, 3, 1), workspace=place)
    assert result.comparison.dataset == "tiny-brain"


def _choose(
    scans: Scans, workspace: Workspace, *, crop: str, fine_tunes: bool, harmonise: bool = False, progress=SILENT
) -> Scans:
    return choose_scans(
        scans, crop=crop, harmonise=harmonise, fine_tunes=fine_tunes, workspace=workspace, progress=progress
    )


def test_fine_tuning_cuts_by_default(place: Workspace, stored, cropped) -> None:
    found = _choose(stored, place, crop="auto", fine_tunes=True)
    assert found.dataset.name == "tiny-brain" and found.original_split == stored.split.digest
    for crop, fine_tunes in (("auto", False), ("none", True)):
        assert _choose(stored, place, crop=crop, fine_tunes=fine_tunes) is stored
    assert _choose(found, place, crop="brain", fine_tunes=True) is found


def test_where_there_can_be_no_copy_the_default_says_so_and_goes_on(tiny_study, workspace: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny-brain")
    scans = Scans(tiny_study.dataset, prepare_split(tiny_study.dataset, protocol="grouped", seed=0))
    said: list[str] = []

    class Told(type(SILENT)):  # type: ignore[misc]
        def say(self, message: str) -> None:
            said.append(message)

    found = _choose(scans, workspace, crop="auto", fine_tunes=True, progress=Told())
    assert found.dataset is scans.dataset and found.note == said[0]
    assert said[0].startswith("Scans are used as stored, not cut around the head.") and "tiny-brain" in said[0]
    with pytest.raises(InputError, match="or use the scans as stored"):
        _choose(scans, workspace, crop="brain", fine_tunes=False)


def test_an_unknown_crop_is_refused(place: Workspace) -> None:
    with pytest.raises(InputError, match=r"^Expected --crop auto, brain or none, got 'skull'\.$"):
        compare_networks("tiny", replace(_SETTINGS, crop="skull"), workspace=place)


def test_harmonised_scans_train_a_model_that_harmonises(place: Workspace, stored) -> None:
    result = compare_networks("tiny", replace(_SETTINGS, crop="auto", harmonise=True), workspace=place)
    assert result.comparison.dataset == "tiny-harmonised"
    run = result.runs[0]
    predictor = Predictor(run.bundle)
    assert predictor.card.scan_steps == ("crop=brain", "harmonise=skull,levels")
    table = read_predictions(run.folder)
    row = int(np.flatnonzero(table["part"] == "test")[0])
    with stored.dataset.open_pixels() as pixels:
        answer = predictor.predict(pixels.get(str(stored.dataset.digests[row])))
    assert answer.probabilities["tumor"] == pytest.approx(table["probability_tumor"][row], abs=1e-5)
    found = evaluate_model(run.name, "tiny", workspace=place)
    assert not found.external and found.dataset == "tiny-harmonised"
    assert "skull was stripped" in run.methods


def test_harmonising_includes_the_crop_and_comes_before_it(place: Workspace, stored, cropped) -> None:
    harmonised = _choose(stored, place, crop="auto", fine_tunes=False, harmonise=True)
    assert _choose(harmonised, place, crop="brain", fine_tunes=True) is harmonised
    assert _choose(harmonised, place, crop="auto", fine_tunes=True, harmonise=True) is harmonised
    with pytest.raises(InputError, match=r"^--harmonise cuts scans around the head too: leave out --crop none, or"):
        compare_networks("tiny", replace(_SETTINGS, crop="none", harmonise=True), workspace=place)
    with pytest.raises(InputError, match=r"^'tiny-brain' holds scans with --crop brain, but --harmonise strips"):
        compare_networks("tiny-brain", replace(_SETTINGS, harmonise=True), workspace=place)


def test_folds_can_be_of_harmonised_scans(place: Workspace) -> None:
    result = cross_validate("tiny", with_folds(replace(_SETTINGS, harmonise=True), 3, 1), workspace=place)
    assert result.comparison.dataset == "tiny-harmonised"


def test_what_was_cut_cannot_be_made_whole(place: Workspace, cropped) -> None:
    with pytest.raises(InputError, match=r"^'tiny-brain' holds scans with --crop brain, which cannot be undone"):
        compare_networks("tiny-brain", replace(_SETTINGS, crop="none"), workspace=place)


def _fresh(tiny_study, workspace: Workspace) -> Workspace:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    return workspace


def test_a_copy_trained_on_by_its_own_name_is_counted_with_its_original(tiny_study, workspace: Workspace) -> None:
    _fresh(tiny_study, workspace)
    prepare_dataset(workspace, load_dataset(workspace, "tiny"), CUT)
    (by_name,) = compare_networks("tiny-brain", replace(_SETTINGS, crop="auto"), workspace=workspace).runs
    (plain,) = compare_networks("tiny", replace(_SETTINGS, crop="auto"), workspace=workspace).runs
    assert {count_openings(workspace, run.split_digest) for run in (by_name, plain)} == {2}


def test_without_its_copy_a_model_still_knows_its_own_test_part(tiny_study, workspace: Workspace) -> None:
    _fresh(tiny_study, workspace)
    (run,) = compare_networks("tiny", _SETTINGS, workspace=workspace).runs
    before = count_openings(workspace, run.split_digest)
    shutil.rmtree(workspace.datasets / "tiny-brain")
    found = evaluate_model(run.name, "tiny", workspace=workspace)
    assert not found.external and found.summary.metrics["accuracy"].value == pytest.approx(run.row.test_accuracy)
    assert count_openings(workspace, run.split_digest) == before + 1


def test_its_test_scans_under_another_name_are_an_opening_too(tiny_study, workspace: Workspace) -> None:
    _fresh(tiny_study, workspace)
    (run,) = compare_networks("tiny", replace(_SETTINGS, crop="auto"), workspace=workspace).runs
    before = count_openings(workspace, run.split_digest)
    again = import_scans(
        tiny_study.folder / "images",
        name="again",
        labels=tiny_study.folder / "labels.csv",
        group_pattern=r"(.)[^/]*$",
        workspace=workspace.root,
    )
    assert again.digest != load_dataset(workspace, "tiny").digest
    found = evaluate_model(run.name, "again", workspace=workspace)
    assert found.external and count_openings(workspace, run.split_digest) == before + 1
    assert any("of the model's own test part, which was opened" in note for note in found.notes)


def test_what_the_default_could_not_do_stands_in_the_result(tiny_study, workspace: Workspace) -> None:
    _fresh(tiny_study, workspace)
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny-brain")
    dataset = load_dataset(workspace, "tiny")
    scans = Scans(dataset, prepare_split(dataset, protocol="grouped", seed=0))
    assert _choose(scans, workspace, crop="auto", fine_tunes=True).note.startswith("Scans are used as stored")


def test_a_damaged_copy_stops_nothing_and_is_made_anew(tiny_study, workspace: Workspace) -> None:
    _fresh(tiny_study, workspace)
    (run,) = compare_networks("tiny", _SETTINGS, workspace=workspace).runs
    (plain,) = compare_networks("tiny", replace(_SETTINGS, crop="auto"), workspace=workspace).runs
    record = workspace.datasets / "tiny-brain" / "dataset.json"
    record.write_text(record.read_text()[:40])
    assert not evaluate_model(plain.name, "tiny", workspace=workspace).external
    assert not evaluate_model(run.name, "tiny", workspace=workspace).external
    assert load_dataset(workspace, "tiny-brain").splits.is_dir()
