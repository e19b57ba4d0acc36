"""The comparison as data."""

from __future__ import annotations

import json

import pytest

from tumorlens.errors import IntegrityError
from tumorlens.evaluation import ROW_KEYS
from tumorlens.reports import Comparison


@pytest.mark.parametrize("protocol", ["grouped", "study"])
def test_json_round_trip(make_example, protocol):
    comparison = make_example(protocol=protocol).comparison
    assert Comparison.from_json(json.loads(comparison.dumps())) == comparison


def test_json_has_the_documented_keys_first(grouped_example):
    stored = grouped_example.comparison.to_json()
    first = ["protocol", "dataset", "split_digest", "residual_neighbours", "rows"]
    assert list(stored)[: len(first)] == first
    assert all(tuple(row)[: len(ROW_KEYS)] == ROW_KEYS for row in stored["rows"])
    assert stored["residual_neighbours"] == {"test_scans": 753, "above_0.95": 27, "above_0.98": 9}


def test_best_row_is_the_one_whose_run_is_best(grouped_example):
    comparison = grouped_example.comparison
    assert comparison.best == "vgg16-1"
    assert comparison.best_row is comparison.rows[3]


@pytest.mark.parametrize("key", ["rows", "parts", "classes", "residual_neighbours"])
def test_a_missing_or_damaged_key_is_an_error(grouped_example, key):
    stored = grouped_example.comparison.to_json()
    with pytest.raises(IntegrityError, match="damaged"):
        Comparison.from_json({name: value for name, value in stored.items() if name != key})
    with pytest.raises(IntegrityError, match="damaged"):
        Comparison.from_json(stored | {key: 7})


def test_keys_of_a_newer_version_are_left_aside(grouped_example):
    comparison = grouped_example.comparison
    assert Comparison.from_json(comparison.to_json() | {"new": 1}) == comparison
