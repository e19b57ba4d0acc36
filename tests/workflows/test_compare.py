"""The comparison: complete, repeatable, honest about what was found already."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pandas as pd
import pytest

from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.errors import InputError, MissingExtraError, NotFoundError, WeightsUnavailableError
from tumorlens.reports import caveats
from tumorlens.training import SCRATCH_RECIPE
from tumorlens.workflows import heads
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.runs import ScratchConfig, find_run, list_runs
from tumorlens.workflows.scratch import ScratchSettings
from tumorlens.workflows.synthesis import import_synthetic

_ROW_KEYS = [
    "kind",
    "backbone",
    "head",
    "weights",
    "collapsed",
    "train_accuracy",
    "val_accuracy",
    "train_loss",
    "val_loss",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "test_loss",
    "test_roc_auc",
    "test_roc_auc_low",
    "test_roc_auc_high",
    "per_class",
    "seconds",
    "peak_memory_mb",
    "run",
]
_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64)


def test_document_has_the_promised_keys(tiny_comparison) -> None:
    document = json.loads(json.dumps(tiny_comparison.to_json(), allow_nan=False))
    assert {"protocol", "dataset", "split_digest", "residual_neighbours", "rows"} <= set(document)
    assert [row["kind"] for row in document["rows"]] == ["baseline", "baseline", "backbone"]
    for row in document["rows"]:
        assert list(row)[: len(_ROW_KEYS)] == _ROW_KEYS
        assert set(row["per_class"]) == {"no_tumor", "tumor"}
        assert row["test_accuracy_low"] is row["test_accuracy_high"] is row["interval"] is None
    assert document["marks"] == ["synthetic"]
    assert any("at least 5 groups" in sentence for sentence in caveats(tiny_comparison.comparison))


def test_enough_patients_give_intervals_that_hold_their_figures(tmp_path, workspace) -> None:
    folder = synthesize(tmp_path / "scans", SynthesisSettings(patients=40, slices_each=2, size=64, seed=3))
    dataset = import_synthetic(folder, "more", workspace=workspace)
    document = compare_networks(dataset, _SETTINGS, workspace=workspace).to_json()
    for row in document["rows"]:
        assert row["test_accuracy_low"] <= row["test_accuracy"] <= row["test_accuracy_high"]
        assert row["test_loss_low"] <= row["test_loss"] <= row["test_loss_high"]
        assert row["interval"]["n_groups"] >= 5 and row["interval"]["unit"] == "patients"


def test_files_of_a_comparison(tiny_comparison) -> None:
    names = {path.name for path in tiny_comparison.folder.iterdir()}
    tables = {"comparison.md", "comparison.csv", "comparison.json", "baselines.parquet"}
    texts = {"model-card.md", "data-sheet.md", "checklists.md", "references.bib"}
    assert names == {*tables, *texts, "plots", "report.html"}
    with (tiny_comparison.folder / "comparison.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
    assert all(path.stat().st_size > 1000 for path in (tiny_comparison.folder / "plots").iterdir())


def test_files_of_a_run(tiny_study, tiny_comparison) -> None:
    run = tiny_comparison.best_run
    assert {path.name for path in run.folder.iterdir()} == {
        "config.toml",
        "metrics.json",
        "history.csv",
        "predictions.parquet",
        "methods.md",
        "neighbours.npz",
        "bundle",
    }
    assert {path.name for path in run.bundle.iterdir()} == {"model.xml", "model.bin", "model.keras", "bundle.json"}
    predictions = pd.read_parquet(run.folder / "predictions.parquet")
    assert list(predictions["row_id"]) == list(range(len(tiny_study.dataset)))
    assert "EfficientNet-Lite0" in run.methods


def test_figures_follow_from_the_stored_predictions(tiny_comparison) -> None:
    run = tiny_comparison.best_run
    table = pd.read_parquet(run.folder / "predictions.parquet")
    test = table[table["part"] == "test"]
    assert run.row.test_accuracy == pytest.approx((test["predicted_label"] == test["reference_label"]).mean())
    train = table[table["part"] == "train"]
    assert run.row.train_accuracy == pytest.approx((train["predicted_label"] == train["reference_label"]).mean())


def test_no_patient_on_two_sides(tiny_study, tiny_comparison) -> None:
    table = pd.read_parquet(tiny_comparison.best_run.folder / "predictions.parquet")
    sides = table.groupby(tiny_study.dataset.groups)["part"].nunique()
    assert (sides == 1).all()


def test_again_finds_the_finished_run_and_opens_no_test(tiny_study, tiny_comparison) -> None:
    split = tiny_comparison.comparison.split_digest
    before = count_openings(tiny_study.workspace, split)
    created = tiny_comparison.best_run.created
    again = compare_networks(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)
    assert again.best_run.created == created
    assert count_openings(tiny_study.workspace, split) == before
    assert again.folder == tiny_comparison.folder


def test_refit_gives_the_same_figures_and_counts_the_opening(tiny_study, tiny_comparison) -> None:
    split = tiny_comparison.comparison.split_digest
    before = count_openings(tiny_study.workspace, split)
    again = compare_networks(tiny_study.dataset, replace(_SETTINGS, refit=True), workspace=tiny_study.workspace)
    assert count_openings(tiny_study.workspace, split) == before + 1
    first, second = (
        replace(result.best_run.row, seconds=None, peak_memory_mb=None) for result in (tiny_comparison, again)
    )
    assert first == second


def test_random_weights_are_marked_everywhere(tiny_study) -> None:
    settings = replace(_SETTINGS, weights=("random",))
    result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert "random weights" in result.comparison.marks
    assert result.runs[0].row.weights == "random"
    assert "random weights" in result.runs[0].marks
    assert "random weights" in (result.folder / "comparison.md").read_text().lower()
    assert "random weights" in (result.folder / "report.html").read_text().lower()
    assert "random weights" in (result.runs[0].bundle / "bundle.json").read_text()


def test_mlp_head(tiny_study) -> None:
    result = compare_networks(tiny_study.dataset, replace(_SETTINGS, heads=("mlp",)), workspace=tiny_study.workspace)
    history = result.runs[0].history
    assert history[0]["epoch"] == 1 and len(history) > 1
    scan = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][0]
    stored = pd.read_parquet(result.runs[0].folder / "predictions.parquet")
    assert result.best.predict(scan).probabilities["tumor"] == pytest.approx(stored["probability_tumor"][0], abs=1e-5)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"backbones": ("efficientnet-lite",)}, NotFoundError, "efficientnet-lite0"),
        ({"backbones": ()}, InputError, "at least one network"),
        ({"heads": ("quadratic",)}, InputError, "linear, mlp, study"),
        ({"protocol": "random"}, InputError, "grouped or study"),
        ({"weights": ("other=file.h5",), "backbones": ("vgg16", "resnet50")}, InputError, "BACKBONE=FILE"),
        ({"weights": ("missing.h5",)}, NotFoundError, "missing.h5 does not exist"),
        ({"size": 8}, InputError, "at least 32 pixels"),
    ],
)
def test_refused_before_any_work(tiny_study, change, error, message) -> None:
    before = len(list_runs(tiny_study.workspace))
    with pytest.raises(error, match=message):
        compare_networks(tiny_study.dataset, replace(_SETTINGS, **change), workspace=tiny_study.workspace)
    assert len(list_runs(tiny_study.workspace)) == before


def test_missing_weights_name_the_file_and_the_way_out(tiny_study, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", _no_network)
    with pytest.raises(WeightsUnavailableError) as caught:
        compare_networks(
            tiny_study.dataset, replace(_SETTINGS, backbones=("resnet50",)), workspace=tiny_study.workspace
        )
    message = str(caught.value)
    assert "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5" in message
    assert str(tmp_path) in message and "efficientnet-lite0" in message and "\n" not in message


def _no_network(*_: object, **__: object) -> None:
    from urllib.error import URLError

    raise URLError("no route")


def test_what_needs_tensorflow_names_the_extra(tiny_study, monkeypatch) -> None:
    monkeypatch.setattr("tumorlens.extras.has_extra", lambda extra: False)
    for change in ({"heads": ("study",)}, {"from_scratch": ScratchSettings()}):
        with pytest.raises(MissingExtraError, match=r"tumorlens\[train\]"):
            compare_networks(tiny_study.dataset, replace(_SETTINGS, **change), workspace=tiny_study.workspace)


def test_every_head_is_offered() -> None:
    assert list(heads.HEADS) == ["linear", "mlp", "study"]


def test_unknown_run_offers_known_ones(tiny_study, tiny_comparison) -> None:
    with pytest.raises(NotFoundError, match="efficientnet-lite0"):
        find_run(tiny_study.workspace, "nothing")


@pytest.mark.slow
def test_study_heads_and_cnn_from_scratch(tiny_study) -> None:
    scratch = ScratchSettings(size=32, recipe=SCRATCH_RECIPE.changed({"epochs": 2}))
    settings = replace(_SETTINGS, heads=("linear", "study"), from_scratch=scratch)
    result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert [row.head for row in result.comparison.rows] == [None, None, "linear", "study", "scratch"]
    for run in result.runs[1:]:
        history = run.history
        assert {"epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy"} <= set(history[0])
        stored = pd.read_parquet(run.folder / "predictions.parquet")
        scan = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][7]
        from tumorlens.bundles import Predictor

        answer = Predictor(run.bundle).predict(scan)
        assert answer.probabilities["tumor"] == pytest.approx(stored["probability_tumor"][7], abs=1e-5)
    assert [len(run.history) for run in result.runs[1:]] == [10, 2]
    trained = result.runs[2]
    assert list(trained.folder.glob("tensorboard/*/events.out.tfevents.*")) and trained.row.loss_penalty is None
    assert trained.config["head"]["augmentation"] == "plain" and "by AdamW" in trained.methods
    training = tiny_study.workspace.training
    assert [path.name for path in training.iterdir()] == ["resumable"]
    assert not [path for path in training.glob("resumable/*") if path.is_dir()]
    again = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert again.runs[2].created == trained.created


def test_another_recipe_or_augmentation_is_another_run(tiny_study, monkeypatch) -> None:
    names = []

    def note(context: RunContext, config: ScratchConfig) -> None:
        names.append(config.name)
        raise NotFoundError("enough")

    monkeypatch.setattr("tumorlens.workflows.scratch.find_finished", note)
    settings = replace(_SETTINGS, backbones=())
    plain = ScratchSettings()
    for scratch in (
        plain,
        plain,
        ScratchSettings(augmentation="none"),
        ScratchSettings(recipe=SCRATCH_RECIPE.changed({"mixup": 0.2})),
    ):
        with pytest.raises(NotFoundError):
            compare_networks(
                tiny_study.dataset, replace(settings, from_scratch=scratch), workspace=tiny_study.workspace
            )
    assert names[0] == names[1] and len(set(names)) == 3


def test_study_protocol_is_marked_leaky_and_shows_no_foreign_figures(tiny_study) -> None:
    settings = replace(_SETTINGS, protocol="study")
    result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert "leaky: for comparison with the published table" in result.comparison.marks
    assert all(row.published is None for row in result.comparison.rows)
    assert "calibration" not in result.comparison.parts
    assert "leaky" in (result.folder / "report.html").read_text().lower()


def test_everything_is_refused_before_the_first_feature_pass(tiny_study, monkeypatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a feature pass was started")

    monkeypatch.setattr("tumorlens.workflows.fit.extract_features", never)
    settings = replace(_SETTINGS, backbones=("efficientnet-lite0", "inceptionv3"), weights=("random",), refit=True)
    with pytest.raises(InputError, match="75"):
        compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    monkeypatch.setattr("tumorlens.workflows.heads.check_groups", _too_few)
    with pytest.raises(InputError, match="groups"):
        compare_networks(tiny_study.dataset, replace(_SETTINGS, refit=True), workspace=tiny_study.workspace)


def _too_few(*_: object, **__: object) -> None:
    raise InputError("too few groups")


def test_general_weights_do_not_overrule_a_file_for_one_network(tmp_path) -> None:
    from tumorlens.workflows.compare import _wanted_weights

    names = ["vgg16", "resnet50"]
    for words in (["vgg16=f.h5", "random"], ["random", "vgg16=f.h5"]):
        assert _wanted_weights(words, names) == {"vgg16": "f.h5", "resnet50": "random"}
