"""Repeated cross-validation: nothing on two sides, everything predicted once a repeat, all of it to be redone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from tumorlens.backbones import find_backbone
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.errors import InputError, IntegrityError
from tumorlens.evaluation import OperatingWish, area_and_brightness, paired_difference
from tumorlens.features import FeatureStore, extract_features
from tumorlens.progress import SILENT
from tumorlens.reports import CrossValidation
from tumorlens.runtime import head_logits
from tumorlens.training import fit_linear, fit_mlp_by_group
from tumorlens.workflows import fold_fits
from tumorlens.workflows.compare import CompareSettings, prepare_networks
from tumorlens.workflows.cross_validation import (
    CrossValidationResult,
    CrossValidationSettings,
    cross_validate,
    with_folds,
)
from tumorlens.workflows.scratch import ScratchSettings

_SETTINGS = CrossValidationSettings(
    backbones=("efficientnet-lite0",), heads=("linear", "mlp"), size=64, folds=3, repeats=2, seed=5
)


class _Messages:
    """Progress that remembers what was said and which tasks ran."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tasks: list[str] = []

    @contextmanager
    def task(self, title: str, *, total: int | None) -> Iterator[object]:
        self.tasks.append(f"{title} {total}")
        with SILENT.task(title, total=total) as task:
            yield task

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(scope="module")
def ledger_before(tiny_study) -> bytes | None:
    return _ledger(tiny_study)


@pytest.fixture(scope="module")
def result(tiny_study, ledger_before) -> CrossValidationResult:
    return cross_validate(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)


@pytest.fixture(scope="module")
def predictions(result) -> pd.DataFrame:
    return pd.read_parquet(result.predictions)


@pytest.fixture(scope="module")
def features(tiny_study, result) -> np.ndarray:
    """``(n, d)`` features of every scan, from the store that the cross-validation filled."""
    network = find_backbone("efficientnet-lite0")
    workspace = tiny_study.workspace
    (prepared,) = prepare_networks([network], _SETTINGS, workspace=workspace, progress=SILENT)
    with FeatureStore(workspace.features) as store:
        return extract_features(tiny_study.dataset, prepared.graph, store)["pooled"].matrix(store)


def _ledger(tiny_study) -> bytes | None:
    ledger = tiny_study.workspace.ledger
    return ledger.read_bytes() if ledger.exists() else None


def _scores(predictions: pd.DataFrame, row: str, classes: tuple[str, ...], repeat: int | None = None) -> np.ndarray:
    ending = "" if repeat is None else f"_repeat_{repeat}"
    return predictions[[f"probability_{row}_{name}{ending}" for name in classes]].to_numpy()


def test_no_group_and_no_copy_is_in_two_folds(tiny_study, predictions) -> None:
    for repeat in (1, 2):
        folds = predictions[f"fold_{repeat}"]
        assert set(folds) == {1, 2, 3}
        assert (folds.groupby(predictions["group"]).nunique() == 1).all()
        assert (folds.groupby(predictions["pixel_digest"]).nunique() == 1).all()
    assert (predictions["fold_1"] != predictions["fold_2"]).any()


def test_every_scan_is_predicted_once_a_repeat(tiny_study, result, predictions) -> None:
    classes = tiny_study.dataset.classes
    assert predictions["row_id"].tolist() == list(range(len(tiny_study.dataset)))
    for row in result.comparison.rows:
        for repeat in (1, 2):
            sums = _scores(predictions, row.name, classes, repeat).sum(axis=1)
            assert sums == pytest.approx(np.ones(len(predictions)))
            assert sum(fold.scans for fold in row.by_fold if fold.repeat == repeat) == len(predictions)
        both = [_scores(predictions, row.name, classes, repeat) for repeat in (1, 2)]
        assert _scores(predictions, row.name, classes) == pytest.approx(np.mean(both, axis=0))


def test_stored_predictions_give_the_figures(tiny_study, result, predictions) -> None:
    classes, positive = tiny_study.dataset.classes, tiny_study.dataset.positive_class
    labels = np.array([classes.index(label) for label in predictions["reference_label"]])
    for row in result.comparison.rows:
        averaged = _scores(predictions, row.name, classes)
        assert row.test_accuracy == accuracy_score(labels, averaged.argmax(axis=1))
        assert row.test_loss == pytest.approx(log_loss(labels, np.clip(averaged, 1e-7, 1 - 1e-7)))
        for fold in row.by_fold:
            held_out = (predictions[f"fold_{fold.repeat}"] == fold.fold).to_numpy()
            scores = _scores(predictions, row.name, classes, fold.repeat)[held_out]
            assert fold.accuracy == accuracy_score(labels[held_out], scores.argmax(axis=1))
            area = roc_auc_score(labels[held_out] == classes.index(positive), scores[:, classes.index(positive)])
            assert fold.roc_auc == pytest.approx(area)
        assert row.test_roc_auc == pytest.approx(np.mean([fold.roc_auc for fold in row.by_fold]))


@pytest.mark.parametrize("name, fit", [("linear", fit_linear), ("mlp", fit_mlp_by_group)])
def test_one_fold_by_hand(tiny_study, predictions, features, result, name, fit) -> None:
    dataset = tiny_study.dataset
    held_out = (predictions["fold_2"] == 1).to_numpy()
    units = whole_units(dataset.groups, dataset.digests).astype(str)
    fitted = fit(features[~held_out], dataset.labels[~held_out], units[~held_out], n_classes=2, seed=_SETTINGS.seed + 1)
    wanted = softmax(head_logits(fitted.head, features[held_out]), axis=1)
    row = next(row for row in result.comparison.rows if row.head == name)
    found = _scores(predictions, row.name, dataset.classes, 2)[held_out]
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-7)
    (fold,) = [fold for fold in row.by_fold if (fold.repeat, fold.fold) == (2, 1)]
    assert fold.strength == fitted.settings.get("strength")


def test_baselines_go_through_the_same_folds(tiny_study, predictions) -> None:
    dataset = tiny_study.dataset
    held_out = (predictions["fold_1"] == 2).to_numpy()
    area, brightness = (dataset.manifest[name].to_numpy() for name in ("area", "brightness"))
    wanted = area_and_brightness(area, brightness, dataset.labels, train_rows=np.flatnonzero(~held_out), n_classes=2)
    found = _scores(predictions, "area and brightness", dataset.classes, 1)[held_out]
    assert found == pytest.approx(wanted[held_out])
    shares = np.bincount(dataset.labels[~held_out]) / (~held_out).sum()
    majority = _scores(predictions, "majority class", dataset.classes, 1)[held_out]
    assert majority == pytest.approx(np.tile(shares, (held_out.sum(), 1)))


def test_differences_are_of_averaged_labels(tiny_study, result, predictions) -> None:
    dataset = tiny_study.dataset
    rows = ("efficientnet-lite0-linear", "area and brightness")
    right = [_scores(predictions, row, dataset.classes).argmax(axis=1) == dataset.labels for row in rows]
    wanted = paired_difference(*right, names=rows, groups=dataset.groups, unit="patients", seed=_SETTINGS.seed)
    found = {(entry.first, entry.second): entry for entry in result.comparison.differences}
    assert len(found) == 3
    assert ("efficientnet-lite0-linear", "efficientnet-lite0-mlp") in found
    assert replace(found[rows], p_adjusted=wanted.p_adjusted) == wanted
    assert found[rows].p_adjusted >= wanted.p


def test_no_test_part_is_opened_and_no_model_made(tiny_study, result, ledger_before) -> None:
    assert _ledger(tiny_study) == ledger_before
    assert not list(result.folder.rglob("bundle.json"))
    assert result.comparison.best is None
    assert result.comparison.best_row is None
    assert result.next_commands == [
        "tumorlens train tiny --backbone efficientnet-lite0",
        "tumorlens train tiny --backbone efficientnet-lite0 --head mlp",
    ]


def test_folder_holds_everything(result) -> None:
    assert result.folder.name.startswith("tiny-cv3x2-")
    files = {str(path.relative_to(result.folder)) for path in result.folder.rglob("*") if path.is_file()}
    assert {"comparison.md", "comparison.csv", "comparison.json", "folds.csv", "predictions.parquet"} < files
    assert {"report.html", "plots/overview.png", "plots/folds.png", "plots/roc.png"} < files
    stored = json.loads((result.folder / "comparison.json").read_text("utf-8"))
    assert CrossValidation.from_json(stored) == result.comparison
    assert {**stored, "report": str(result.report)} == json.loads(json.dumps(result.to_json()))
    assert len(pd.read_csv(result.folder / "folds.csv")) == 4 * 3 * 2


def test_document_is_that_of_compare_and_more(result, tiny_comparison) -> None:
    document, plain = result.to_json(), tiny_comparison.to_json()
    assert set(document) - set(plain) == {"folds", "repeats"}
    assert set(plain) <= set(document)
    assert (document["protocol"], document["folds"], document["repeats"]) == ("cross-validation", 3, 2)
    for row in document["rows"]:
        assert set(plain["rows"][0]) <= set(row)
        assert row["train_accuracy"] is row["val_accuracy"] is row["run"] is None
        assert len(row["by_repeat"]) == 2
        assert [(fold["repeat"], fold["fold"]) for fold in row["by_fold"]] == [
            (r, f) for r in (1, 2) for f in (1, 2, 3)
        ]
    assert all(fold["strength"] > 0 for fold in document["rows"][2]["by_fold"])
    assert all(fold["strength"] is None for row in (0, 1, 3) for fold in document["rows"][row]["by_fold"])


def test_same_again_is_found(tiny_study, result) -> None:
    messages = _Messages()
    again = cross_validate("tiny", _SETTINGS, workspace=tiny_study.workspace, progress=messages)
    assert again.folder == result.folder
    assert again.comparison.rows == result.comparison.rows
    assert again.comparison.split_digest == result.comparison.split_digest
    assert messages.tasks == []
    assert messages.said == [
        f"EfficientNet-Lite0, {head} head: cross-validated earlier, nothing to compute." for head in ("linear", "mlp")
    ]


def test_fewer_heads_reuse_the_row_and_have_their_own_folder(tiny_study, result) -> None:
    messages = _Messages()
    settings = replace(_SETTINGS, heads=("linear",))
    part = cross_validate("tiny", settings, workspace=tiny_study.workspace, progress=messages)
    assert part.comparison.rows == result.comparison.rows[:3]
    assert part.folder != result.folder
    assert messages.tasks == []


def test_refit_with_other_threads_and_little_memory_gives_the_same(tiny_study, result, monkeypatch) -> None:
    settings = replace(_SETTINGS, heads=("linear",), refit=True)
    monkeypatch.setattr(fold_fits, "_MOST_FEATURE_BYTES", 1)
    messages = _Messages()
    again = cross_validate("tiny", settings, workspace=tiny_study.workspace, threads=3, progress=messages)
    assert messages.tasks == ["EfficientNet-Lite0, linear head: folds 6"]
    before, after = (found.comparison.rows[2] for found in (result, again))
    assert replace(after, seconds=before.seconds, peak_memory_mb=before.peak_memory_mb) == before


def test_another_seed_has_other_folds(tiny_study, result) -> None:
    settings = replace(_SETTINGS, heads=("linear",), seed=6, repeats=1)
    other = cross_validate("tiny", settings, workspace=tiny_study.workspace)
    assert other.comparison.split_digest != result.comparison.split_digest
    assert other.folder.name.startswith("tiny-cv3x1-")
    assert other.comparison.rows[2].repeat_spread is None
    folds = pd.read_parquet(other.predictions)["fold_1"]
    assert folds.tolist() == pd.read_parquet(result.predictions)["fold_2"].tolist()  # seed 5, second repeat


def test_damaged_row_is_reported(tiny_study, result) -> None:
    settings = replace(_SETTINGS, heads=("linear",), seed=9, repeats=1)
    cross_validate("tiny", settings, workspace=tiny_study.workspace)
    folders = tiny_study.workspace.cross_validations.glob("tiny-cv3x1-*")
    (folder,) = [path for path in folders if json.loads((path / "config.json").read_text("utf-8"))["seed"] == 9]
    (folder / "figures.json").write_text("{}", encoding="utf-8")
    with pytest.raises(IntegrityError, match="damaged"):
        cross_validate("tiny", settings, workspace=tiny_study.workspace)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"heads": ("study",)}, "Expected --head linear, mlp with --folds, got 'study', which needs one split"),
        ({"heads": ("deep",)}, "Expected --head"),
        ({"from_scratch": ScratchSettings()}, "--from-scratch needs one split"),
        ({"protocol": "study"}, "--protocol study needs one split"),
        ({"split_file": "split.json"}, "--split needs one split"),
        ({"mistake": "split"}, "--break needs one split"),
        ({"wish": OperatingWish("sensitivity", 0.9)}, "--sensitivity is for a model"),
        ({"carry_neighbours": True}, "--carry-neighbours is for a model"),
        ({"precision": "int8"}, "--precision int8 is for a model"),
        ({"backbones": ()}, "at least one network"),
        ({"folds": 1}, "at least 2 folds"),
        ({"folds": 17}, r"each class in at least 17 patients"),
    ],
)
def test_refusals(tiny_study, changes, message) -> None:
    with pytest.raises(InputError, match=message):
        cross_validate("tiny", replace(_SETTINGS, **changes), workspace=tiny_study.workspace)


def test_repeats_without_folds_are_refused() -> None:
    settings = CompareSettings(backbones=("efficientnet-lite0",), seed=3)
    with pytest.raises(InputError, match="Expected --folds with --repeats 2"):
        with_folds(settings, None, 2)
    assert with_folds(settings, 4, None) == CrossValidationSettings(
        backbones=("efficientnet-lite0",), seed=3, folds=4, repeats=3
    )
