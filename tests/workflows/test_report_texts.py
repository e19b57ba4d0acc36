"""All figures of a model as a table, and the operating point on its ROC curve."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tumorlens.evaluation import summarise
from tumorlens.reports import ReportFacts
from tumorlens.workflows.report_details import row_details
from tumorlens.workflows.report_files import _operating_points
from tumorlens.workflows.report_texts import gather_facts, summary_grid
from tumorlens.workflows.stored_results import find_result


@pytest.fixture(scope="module")
def three_classes():
    """Figures of three classes over ten groups; the third class is never predicted."""
    labels = np.arange(60) % 3
    probabilities = np.full((60, 3), 0.1)
    probabilities[np.arange(60), np.where(labels == 2, 0, labels)] = 0.8
    return summarise(
        labels,
        probabilities,
        predicted=probabilities.argmax(axis=1),
        groups=np.char.add("g", (np.arange(60) // 6).astype(str)),
        groups_are="patients",
        classes=("a", "b", "c"),
        positive_class=None,
        draws=50,
    )


def _cells(grid) -> dict[str, tuple[str, str]]:
    return {row.cells[0].main: (row.cells[1].main, row.cells[2].main) for row in grid.rows}


def test_several_classes_have_their_own_lines(grouped, three_classes) -> None:
    comparison = replace(grouped.comparison, positive_class=None)
    grid = summary_grid(ReportFacts(comparison=comparison, row=grouped.comparison.rows[-1], summary=three_classes))
    cells = _cells(grid)
    assert cells["Accuracy"][0] == "0.667" and cells["Sensitivity of a"][0] == "1.000"
    assert cells["Positive predictive value of c"] == ("–", "not defined")
    assert grid.columns[2].sub == "95 %"
    assert all(interval for _, interval in cells.values())


def test_two_classes_have_those_of_the_positive_one_alone(grouped) -> None:
    cells = _cells(summary_grid(grouped))
    assert "Sensitivity" in cells and not any(" of " in name for name in cells)


def test_a_collapsed_model_and_one_without_figures_have_no_table(grouped) -> None:
    assert summary_grid(replace(grouped, row=replace(grouped.row, collapsed=True))) is None
    assert summary_grid(replace(grouped, summary=None)) is None


@pytest.fixture(scope="module")
def grouped(tiny_comparison, tiny_study) -> ReportFacts:
    """The facts of the small comparison."""
    stored = find_result(tiny_comparison.folder.name, workspace=tiny_study.workspace)
    return gather_facts(stored, row_details(stored), workspace=tiny_study.workspace, wrong=0)


def test_facts_are_those_of_the_best_run(grouped, tiny_comparison, tiny_study) -> None:
    assert grouped.row.run == tiny_comparison.comparison.best
    assert grouped.card.name == tiny_comparison.comparison.best and grouped.head["head"] == "linear"
    assert grouped.record == tiny_study.dataset.record and grouped.formats == {"PNG": 64}
    assert grouped.summary.metrics["accuracy"].value == pytest.approx(grouped.row.test_accuracy)
    assert grouped.test_openings >= 1 and grouped.data_licence == ""
    assert "No exact copies have different labels" in grouped.label_conflicts


def test_the_operating_point_lies_on_the_curve(grouped) -> None:
    (point,) = _operating_points(grouped).values()
    (curve,) = grouped.detail.roc.values()
    assert point.threshold == grouped.card.operating_point.threshold
    corners = np.column_stack([curve.false_positive_rate, curve.true_positive_rate])
    here = np.array([point.false_positive_rate, point.true_positive_rate])
    detours = [  # a point between two corners makes no detour
        np.linalg.norm(here - first) + np.linalg.norm(here - second) - np.linalg.norm(second - first)
        for first, second in itertools.pairwise(corners)
    ]
    assert min(detours) == pytest.approx(0.0, abs=1e-9)
    assert _operating_points(replace(grouped, summary=None)) == {}
