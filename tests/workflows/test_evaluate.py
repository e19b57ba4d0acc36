"""A finished model on its own test part and on other data sets, where nothing it was made with may count."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

import tumorlens as tl
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.errors import InputError
from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.synthesis import import_synthetic


@pytest.fixture(scope="module")
def run(tiny_comparison):
    return tiny_comparison.best_run


@pytest.fixture(scope="module")
def place(tiny_study, tiny_comparison, tmp_path_factory):
    """A copy of the workspace with other scans beside the model's own."""
    root = tmp_path_factory.mktemp("evaluate")
    shutil.copytree(tiny_study.workspace.root, root / "workspace")
    workspace = tl.Workspace.locate(root / "workspace")
    settings = SynthesisSettings(patients=8, slices_each=3, size=64, seed=9, shortcut=True)
    import_synthetic(synthesize(root / "scans", settings), "other", workspace=workspace)
    renamed = tl.import_scans(
        tiny_study.folder / "images",
        name="renamed",
        labels=tiny_study.folder / "labels.csv",
        class_names={"tumor": "yes", "no_tumor": "no"},
        workspace=workspace.root,
    )
    assert renamed.classes == ("no", "yes")
    return workspace


def test_own_data_set_gives_the_runs_own_figures_and_counts_the_opening(place, run) -> None:
    before = count_openings(place, run.split_digest)
    result = evaluate_model(run.name, "tiny", workspace=place)
    figures = result.summary.metrics
    assert figures["accuracy"].value == pytest.approx(run.row.test_accuracy)
    assert figures["roc_auc"].value == pytest.approx(run.row.test_roc_auc)
    assert figures["log_loss"].value == pytest.approx(run.row.test_loss)
    assert (result.summary.n_scans, result.external, result.in_training) == (run.row.n_test, False, 0)
    assert count_openings(place, run.split_digest) == before + 1
    assert f"opened {before + 1} time(s)" in result.notes[0]


def test_another_data_set_equals_scan_by_scan_prediction(place, run) -> None:
    openings = count_openings(place, run.split_digest)
    result = evaluate_model(run.name, "other", EvaluateSettings(prevalence=0.1), workspace=place)
    scans = tl.load_scans("other", workspace=place.root)
    predictor = tl.Predictor(run.bundle)
    with scans.open_pixels() as store:
        answers = [predictor.predict(store.get(digest)) for digest in scans.digests]
    labels = scans.manifest["label"].to_numpy()
    metrics = result.summary.metrics
    assert metrics["accuracy"].value == pytest.approx(accuracy_score(labels, [answer.label for answer in answers]))
    scores = [answer.probabilities["tumor"] for answer in answers]
    assert metrics["roc_auc"].value == pytest.approx(roc_auc_score(labels == "tumor", scores))
    assert "ppv_at_prevalence" in metrics and result.external
    assert "mix changes of label definition, sequence and population" in result.notes[0]
    assert (result.in_training, result.summary.groups_are, result.summary.n_groups) == (0, "patients", 8)
    assert result.near_twins is not None and result.marks == ("synthetic",)
    assert count_openings(place, run.split_digest) == openings


def test_scans_the_model_was_made_with_are_left_out(place, run) -> None:
    settings = EvaluateSettings(label_map={"tumor": "yes", "no_tumor": ["no"]})
    result = evaluate_model(run.name, "renamed", settings, workspace=place)
    stored = pd.read_parquet(run.folder / "predictions.parquet")
    seen = set(stored.loc[stored["part"] != "test", "pixel_digest"])
    scans = tl.load_scans("renamed", workspace=place.root)
    assert result.in_training == sum(digest in seen for digest in scans.digests) > 0
    assert result.summary.n_scans == len(scans) - result.in_training
    assert result.summary.classes == ("no_tumor", "tumor")


def test_labels_without_a_counterpart_list_the_choices(place, run) -> None:
    with pytest.raises(InputError, match=r"'no' has no counterpart.*no_tumor, tumor.*no, yes.*--map TRAINED=no"):
        evaluate_model(run.name, "renamed", workspace=place)


def test_a_bundle_alone_says_that_training_scans_are_unknown(place, run, tmp_path) -> None:
    bundle = shutil.copytree(run.bundle, tmp_path / "alone")
    known = evaluate_model(str(bundle), "other", workspace=place)
    assert known.in_training == 0  # its run is in the workspace, by name and digest
    home = tl.Workspace.locate(tmp_path / "workspace").create()
    shutil.copytree(place.datasets, home.datasets)
    result = evaluate_model(str(bundle), "other", workspace=home)
    assert (result.in_training, result.near_twins) == (None, None)
    assert any("training scans are unknown" in note for note in result.notes)
    assert result.summary.metrics == known.summary.metrics
    with pytest.raises(InputError, match="evaluate the run"):
        evaluate_model(str(bundle), "tiny", workspace=home)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, 2.0])
def test_a_bad_prevalence_is_refused_before_the_test_part_is_opened(place, run, prevalence) -> None:
    before = count_openings(place, run.split_digest)
    with pytest.raises(InputError, match="between 0 and 1"):
        evaluate_model(run.name, "tiny", EvaluateSettings(prevalence=prevalence), workspace=place)
    assert count_openings(place, run.split_digest) == before


def test_a_column_that_is_not_there_is_refused_before_the_test_part_is_opened(place, run) -> None:
    before = count_openings(place, run.split_digest)
    with pytest.raises(InputError, match="choose among height, width"):
        evaluate_model(run.name, "tiny", EvaluateSettings(by=("scanner",)), workspace=place)
    assert count_openings(place, run.split_digest) == before


def test_figures_per_patient_only_where_patients_are_known(place, run) -> None:
    patients = evaluate_model(run.name, "other", workspace=place)
    scores = predictions_for(place, run, "other")
    each = scores.groupby("group").agg(score=("score", lambda own: own.nlargest(3).mean()), label=("label", "max"))
    metrics = patients.by_group.per_patient.summary.metrics
    assert metrics["accuracy"].value == pytest.approx(((each["score"] >= 0.5) == (each["label"] == "tumor")).mean())
    assert metrics["roc_auc"].value == pytest.approx(roc_auc_score(each["label"] == "tumor", each["score"]))
    settings = EvaluateSettings(label_map={"tumor": "yes", "no_tumor": "no"}, by=("mode",))
    clusters = evaluate_model(run.name, "renamed", settings, workspace=place)
    document = clusters.to_json()
    assert document["per_patient"] is None
    assert any("names no patients" in note for note in document["notes"])
    (level,) = document["subgroups"][0]["levels"]
    assert level["metrics"]["accuracy"] == document["metrics"]["accuracy"]  # all scans have one mode


def predictions_for(place, run, name) -> pd.DataFrame:
    scans = tl.load_scans(name, workspace=place.root)
    predictor = tl.Predictor(run.bundle)
    with scans.open_pixels() as store:
        scores = [predictor.predict(store.get(digest)).probabilities["tumor"] for digest in scans.digests]
    return scans.manifest[["group", "label"]].assign(score=scores)


def test_from_python_with_a_loaded_model(place, run) -> None:
    scans = tl.load_scans("other", workspace=place.root)
    result = tl.evaluate(tl.Predictor(place.runs / run.name / "bundle"), scans, by="area")
    assert isinstance(result, tl.Evaluation) and result.dataset == "other"
    assert np.isfinite(result.summary.metrics["log_loss"].value)
    assert [found.column for found in result.by_group.subgroups] == ["area"]


@pytest.mark.parametrize("name", ["tiny", "other"])
def test_several_views_are_averaged_and_sets_stay_those_of_the_scan(place, run, name) -> None:
    scans, predictor = tl.load_scans(name, workspace=place.root), tl.Predictor(run.bundle)
    one = evaluate_model(run.name, name, workspace=place)
    result = evaluate_model(run.name, name, EvaluateSettings(views=2), workspace=place)
    parts = pd.read_parquet(run.folder / "predictions.parquet")["part"].to_numpy()
    rows = np.flatnonzero(parts == "test") if name == "tiny" else np.arange(len(scans))
    with scans.open_pixels() as store:
        answers = [predictor.predict(store.get(digest), views=2) for digest in scans.digests[rows]]
    labels = scans.manifest["label"].to_numpy()[rows]
    own = [answer.probabilities[label] for answer, label in zip(answers, labels, strict=True)]
    assert result.summary.metrics["log_loss"].value == pytest.approx(-np.log(own).mean(), abs=1e-5)
    assert result.summary.metrics["log_loss"].value != one.summary.metrics["log_loss"].value
    assert result.rules.before is None and result.rules.conformal == one.rules.conformal
    views = result.to_json()["views"]
    assert views["n"] == 2 and views["factor"] > 1 and views["words"] in result.notes
    assert "not for the mean over several" in result.to_json()["calibration"]["basis"]
    assert one.to_json()["views"] is None


def test_sets_rest_on_the_scan_as_it_is(run) -> None:
    from dataclasses import replace

    from tumorlens.bundles import ConformalRule, read_card
    from tumorlens.workflows.evaluation_rules import judge_rules

    card = replace(read_card(run.bundle), conformal=ConformalRule(0.9, (0.5, 0.5), "told"))
    own, mean = np.tile([0.9, 0.1], (10, 1)), np.tile([0.5, 0.5], (10, 1))
    groups = np.arange(10).astype(str)
    labels = np.zeros(10, np.int64)
    found = judge_rules(card, labels, mean, labels, novelty=None, groups=groups, unit="patients", one_view=own)
    assert found.conformal is not None and found.conformal.single.value == 1.0
    told = judge_rules(card, labels, mean, labels, novelty=None, groups=groups, unit="patients")
    assert told.conformal is not None and told.conformal.several.value == 1.0


def test_a_bad_number_of_views_is_refused_before_the_test_part_is_opened(place, run) -> None:
    before = count_openings(place, run.split_digest)
    with pytest.raises(InputError, match="to 16, got 0"):
        evaluate_model(run.name, "tiny", EvaluateSettings(views=0), workspace=place)
    assert count_openings(place, run.split_digest) == before
