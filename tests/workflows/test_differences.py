"""Which rows of a comparison are set against each other, and that the figures are those of the rows."""

from __future__ import annotations

import pytest

from tumorlens.evaluation import TRIVIAL_BASELINE
from tumorlens.workflows.compare import CompareSettings, compare_networks


@pytest.fixture(scope="module")
def two_heads(tiny_study):
    settings = CompareSettings(backbones=("efficientnet-lite0",), heads=("linear", "mlp"), size=64)
    return compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)


def test_best_row_meets_the_others_and_all_meet_the_trivial_baseline(two_heads) -> None:
    comparison = two_heads.comparison
    runs = [row.run for row in comparison.rows if row.run is not None and not row.collapsed]
    others = [run for run in runs if run != comparison.best]
    expected = [(comparison.best, run) for run in others] + [(run, TRIVIAL_BASELINE) for run in runs]
    assert [(entry.first, entry.second) for entry in comparison.differences] == expected


def test_differences_are_those_of_the_rows(two_heads) -> None:
    accuracy = {row.run or row.backbone: row.test_accuracy for row in two_heads.comparison.rows}
    for entry in two_heads.comparison.differences:
        assert entry.value == pytest.approx(accuracy[entry.first] - accuracy[entry.second], abs=1e-12)
        assert entry.unit == "patients" and entry.p <= entry.p_adjusted <= 1
        assert entry.low is None or entry.low <= entry.value <= entry.high


def test_differences_stand_in_the_report_and_the_tables(two_heads) -> None:
    words = "Differences in test accuracy"
    assert words in two_heads.report.read_text(encoding="utf-8")
    assert any(words in path.read_text(encoding="utf-8") for path in two_heads.folder.glob("*.md"))
