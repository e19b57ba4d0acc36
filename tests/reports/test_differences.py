"""Differences stand in every table, with the words that go with them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tumorlens.evaluation import TRIVIAL_BASELINE, Difference
from tumorlens.reports import Comparison
from tumorlens.reports.caveats import caveats
from tumorlens.reports.tables import comparison_grids


@pytest.fixture
def compared(grouped_example) -> Comparison:
    run = next(row.run for row in grouped_example.comparison.rows if row.run is not None)
    known = {"first": run, "second": TRIVIAL_BASELINE, "n_groups": 40, "unit": "clusters"}
    return replace(
        grouped_example.comparison,
        differences=(
            Difference(**known, value=0.0312, low=-0.004, high=0.071, p=0.02, p_adjusted=0.04),
            Difference(**known, value=0.0, low=None, high=None, p=0.0001, p_adjusted=0.0002),
        ),
    )


def test_grid_gives_points_interval_and_p(compared) -> None:
    grid = comparison_grids(compared)[-1]
    assert grid.title.startswith("Differences")
    first, second = ([cell.main for cell in row.cells] for row in grid.rows)
    assert first[1:] == [TRIVIAL_BASELINE, "+3.1", "-0.4 to +7.1", "0.040"]
    assert second[2:] == ["+0.0", "–", "<0.001"]


def test_sentence_says_what_an_interval_does_not(compared) -> None:
    (sentence,) = [text for text in caveats(compared) if text.startswith("Differences")]
    assert (
        "40 clusters" in sentence
        and "2 differences (Holm), intervals not" in sentence
        and "remain possible" in sentence
    )


def test_document_holds_them_and_older_ones_are_read(compared) -> None:
    document = json.loads(compared.dumps())
    assert Comparison.from_json(document) == compared
    document["differences"][0]["of_a_newer_version"] = 1
    assert Comparison.from_json(document) == compared
    del document["differences"]
    assert Comparison.from_json(document).differences == ()


def test_nothing_is_said_without_differences(grouped_example) -> None:
    assert not any("Differences" in grid.title for grid in comparison_grids(grouped_example.comparison))
    assert not any(text.startswith("Differences") for text in caveats(grouped_example.comparison))
