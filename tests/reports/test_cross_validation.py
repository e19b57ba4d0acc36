"""A cross-validated comparison as document, tables, sentences, plots and page."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tumorlens.datasets import ResidualNeighbours
from tumorlens.errors import IntegrityError
from tumorlens.evaluation import (
    MAJORITY_CLASS,
    TRIVIAL_BASELINE,
    Classifier,
    cross_validated_figures,
    paired_difference,
)
from tumorlens.reports import (
    SYNTHETIC,
    CrossValidation,
    CrossValidationPage,
    RowDetail,
    cross_validation_caveats,
    cross_validation_html,
    cross_validation_plots,
    cross_validation_to_markdown,
    fold_detail,
)
from tumorlens.reports.cross_validation_files import folds_to_csv, rows_to_csv
from tumorlens.reports.cross_validation_tables import cross_validation_grids, fold_class_grid, out_of_fold_grid

_CLASSIFIERS = {
    0.0: Classifier(kind="baseline", backbone=MAJORITY_CLASS),
    0.6: Classifier(kind="baseline", backbone=TRIVIAL_BASELINE),
    2.0: Classifier(kind="backbone", backbone="vgg16", head="linear", weights="file", note="A note.", seconds=71.0),
    1.5: Classifier(kind="backbone", backbone="vgg16", head="mlp", weights="file"),
}


@cache
def _example(
    repeats: int = 3, classes: tuple[str, ...] = ("none", "tumour"), collapse: bool = False
) -> tuple[CrossValidation, tuple[RowDetail, ...]]:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, len(classes), 300)
    groups = np.array([f"p{row // 5}" for row in range(300)])
    folds = np.stack([np.repeat(rng.permutation(60) % 4, 5) for _ in range(repeats)])
    rows, details = [], []
    for weight, classifier in _CLASSIFIERS.items():
        scores = rng.normal(size=(repeats, 300, len(classes))) * (weight > 0) + weight * np.eye(len(classes))[labels]
        if collapse and classifier.kind == "backbone":
            scores[:, :, 0] += 100
        powers = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities = powers / powers.sum(axis=2, keepdims=True)
        positive = classes[-1] if len(classes) == 2 else None
        rows.append(
            cross_validated_figures(
                labels,
                probabilities,
                folds=folds,
                strengths=[[0.1 if classifier.head == "linear" else None] * 4] * repeats,
                groups=groups,
                groups_are="clusters",
                classes=classes,
                positive_class=positive,
                classifier=classifier,
                draws=100,
            )
        )
        details.append(fold_detail(labels, probabilities, folds=folds, classes=classes, positive_class=positive))
    hits = np.random.default_rng(0).random((2, 300)) < np.array([[0.9], [0.8]])
    comparison = CrossValidation(
        protocol="cross-validation",
        dataset="clinic",
        split_digest="ab" * 32,
        groups_are="clusters",
        classes=classes,
        positive_class=classes[-1] if len(classes) == 2 else None,
        residual_neighbours=ResidualNeighbours(300, 27, 1),
        parts={"test": {name: int((labels == code).sum()) for code, name in enumerate(classes)}},
        rows=tuple(rows),
        differences=(
            paired_difference(*hits, names=("vgg16-linear", "vgg16-mlp"), groups=groups, unit="clusters", draws=100),
        ),
        marks=(SYNTHETIC,),
        seed=4,
        created="2026-01-02T03:04:05+00:00",
        versions={"tumorlens": "0.0"},
        machine="a machine",
        folds=4,
        repeats=repeats,
    )
    return comparison, tuple(details)


def test_document_and_back() -> None:
    comparison, _ = _example()
    stored = json.loads(comparison.dumps())
    assert CrossValidation.from_json(stored) == comparison
    assert (stored["folds"], stored["repeats"], stored["best"]) == (4, 3, None)
    with pytest.raises(IntegrityError, match="damaged"):
        CrossValidation.from_json({key: value for key, value in stored.items() if key != "folds"})


def test_variation_stands_beside_the_interval() -> None:
    comparison, _ = _example()
    grid, row = out_of_fold_grid(comparison), comparison.rows[2]
    assert grid.title == "Out of fold (4 folds, 3 repeats)"
    cells = grid.rows[2].cells
    assert cells[1].main == f"{row.test_accuracy:.3f}"
    assert cells[1].sub == f"{row.test_accuracy_low:.3f}–{row.test_accuracy_high:.3f}"
    assert cells[2].main == f"{np.mean(row.by_repeat):.3f} ± {row.repeat_spread:.3f}"
    assert cells[2].sub == f"{min(row.by_repeat):.3f}–{max(row.by_repeat):.3f}"
    assert cells[4].main == f"{row.test_roc_auc:.3f} ± {row.roc_auc_spread:.3f}"
    assert "±" not in out_of_fold_grid(_example(repeats=1)[0]).rows[2].cells[2].main


def test_figures_by_class_carry_intervals() -> None:
    comparison, _ = _example()
    line = fold_class_grid(comparison).rows[5]
    recall = comparison.rows[2].per_class_intervals["tumour"]["recall"]
    assert line.cells[1].main == "tumour"
    assert (line.cells[3].main, line.cells[3].sub) == (f"{recall.value:.3f}", f"{recall.low:.3f}–{recall.high:.3f}")


def test_differences_name_both_heads_of_one_network() -> None:
    grid = cross_validation_grids(_example()[0])[-1]
    assert grid.title == "Differences in out-of-fold accuracy"
    assert [(cell.main, cell.sub) for cell in grid.rows[0].cells[:2]] == [
        ("vgg16", "linear head"),
        ("vgg16", "MLP head"),
    ]


def test_caveats_say_what_is_not_in_the_figures() -> None:
    text = " ".join(cross_validation_caveats(_example()[0]))
    for words in (
        "Synthetic: the scans are made up",
        "4 folds, 3 repeats, whole clusters at a time: all scans served for testing, so nothing is left untouched",
        "choosing a network by these figures is optimistic",
        "tumorlens train clinic --backbone B makes one",
        "27 of 300 scans, when held out, still have a neighbour above 0.95",
        "not patients",
        "predicted by 3 heads",
        "training variation not included",
        "mix their calibrations",
        "An interval that holds 0 does not say that two models are equal",
        "A note.",
        "Research output, not for patient care.",
    ):
        assert words in text
    assert "bootstrap over 60 clusters of the data set" in text
    assert "test part, " not in text
    assert "No network beats" not in text
    assert "predicted once" in " ".join(cross_validation_caveats(_example(repeats=1)[0]))


def test_a_network_below_the_baseline_is_named() -> None:
    comparison, _ = _example()
    better = replace(comparison.rows[1], test_accuracy=0.999)
    worse = replace(comparison, rows=(comparison.rows[0], better, *comparison.rows[2:]))
    assert "No network beats area and brightness alone (0.999)" in " ".join(cross_validation_caveats(worse))


def test_collapsed_rows_show_no_accuracy() -> None:
    comparison, _ = _example(collapse=True)
    assert out_of_fold_grid(comparison).rows[2].cells[1].main == "collapsed"
    assert "collapsed" in cross_validation_plots(*_example(collapse=True))[0].label


def test_markdown_and_csv_hold_the_same_rows() -> None:
    comparison, _ = _example()
    text = cross_validation_to_markdown(comparison)
    assert text.startswith("# Comparison on clinic (cross-validation, 4 folds, 3 repeats)\n")
    rows = list(csv.DictReader(io.StringIO(rows_to_csv(comparison))))
    assert [row["backbone"] for row in rows] == [row.backbone for row in comparison.rows]
    assert float(rows[2]["recall_low:tumour"]) == comparison.rows[2].per_class_intervals["tumour"]["recall"].low
    assert float(rows[2]["repeat_spread"]) == comparison.rows[2].repeat_spread
    heads = list(csv.DictReader(io.StringIO(folds_to_csv(comparison))))
    assert len(heads) == 4 * 3 * 4
    assert {head["strength"] for head in heads if head["row"] == "vgg16-linear"} == {"0.1"}
    assert {head["strength"] for head in heads if head["row"] == "vgg16-mlp"} == {""}


@pytest.mark.parametrize("classes", [("none", "tumour"), ("a", "b", "c")])
def test_plots_are_drawn_and_described(classes) -> None:
    comparison, details = _example(classes=classes)
    plots = {plot.name: plot for plot in cross_validation_plots(comparison, details)}
    assert [plot.kind for plot in plots.values()] == ["overview", "folds", "roc", *["confusion"] * 3]
    assert f"vgg16, linear head {comparison.rows[2].test_roc_auc:.3f}" in plots["roc"].label
    axes = plots["folds"].figure.axes[0]
    strokes = [line for line in axes.lines if line.get_marker() == "|"]
    drawn = [float(line.get_xdata()[0]) for line in strokes]
    assert drawn == [accuracy for row in comparison.rows for accuracy in row.by_repeat]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == 4 * 3 * 4
    assert "out-of-fold accuracy" in plots["overview"].figure.axes[0].get_xlabel()


def test_page_shows_everything_and_escapes_names() -> None:
    comparison, details = _example()
    page = cross_validation_html(
        CrossValidationPage(
            comparison=replace(comparison, dataset="<b>clinic"),
            plots=cross_validation_plots(comparison, details),
            flow={"files": 300},
            facts={"Data set digest": "cd" * 32},
            next_commands=["tumorlens train clinic --backbone vgg16"],
        )
    )
    assert "<b>clinic" not in page
    assert "&lt;b&gt;clinic" in page
    assert page.count("<svg") == 6
    assert page.count("<table>") == 4
    for words in (
        "Accuracy of vgg16, linear head",
        "training variation not included",
        "research output, not for patient care",
        "never: there is none",
        "tumorlens train clinic --backbone vgg16",
        "4 for the first repeat, one more for each further one",
    ):
        assert words in page
    assert page.index("Accuracy of vgg16, linear head") < page.index("Accuracy of area and brightness")
    for address in ("http://", "https://"):
        assert f'src="{address}' not in page
        assert f'href="{address}' not in page
