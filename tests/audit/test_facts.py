"""Trivial facts of each scan."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.facts import collect_facts, same_everywhere


def by_name(dataset):
    return {fact.name: fact for fact in collect_facts(dataset)}


def test_every_data_set_has_these_facts(made_up):
    facts = by_name(made_up([0, 1], ["a", "b"]))
    assert list(facts) == [
        "file format",
        "image mode",
        "size",
        "aspect",
        "brain area",
        "brightness",
        "border pixels",
        "empty margins",
    ]
    assert all(fact.constant for fact in facts.values())


def test_what_is_the_same_everywhere_is_said_in_a_sentence(made_up):
    facts = collect_facts(made_up([0, 1], ["a", "b"], columns={"mode": ["L", "RGB"], "brightness": [0.1, 0.2]}))
    sentence = same_everywhere(facts)
    assert "file format (PNG), size (60 x 60), aspect (1), brain area (0.5)" in sentence
    assert "image mode" not in sentence
    assert "brightness" not in sentence
    assert same_everywhere([fact for fact in facts if not fact.constant]) is None


def test_size_is_width_by_height_and_numbers(made_up):
    facts = by_name(made_up([0, 1], ["a", "b"], columns={"height": [10, 20], "width": [30, 30]}))
    assert facts["size"].categories[:, 0].tolist() == ["30 x 10", "30 x 20"]
    assert facts["size"].numbers.tolist() == [[10, 30], [20, 30]]
    assert facts["aspect"].numbers[:, 0] == pytest.approx([3, 1.5])


def test_columns_of_a_header_are_numbers_where_they_can_be(made_up):
    columns = {
        "slice_position_mm": ["-12.5", "", "30"],
        "maker": ["A", "B", ""],
        "field_strength_t": ["1.5", "3.0", "3.0"],
        "sequence_type": ["", "", ""],
    }
    facts = by_name(made_up([0, 1, 1], ["a", "b", "c"], columns=columns))
    assert facts["slice height"].numbers[:, 0] == pytest.approx([-12.5, np.nan, 30], nan_ok=True)
    assert facts["slice height"].categories[:, 0].tolist() == ["known", "", "known"]
    assert facts["maker"].categories[:, 0].tolist() == ["A", "B", ""]
    assert facts["maker"].numbers.shape == (3, 0)
    assert facts["field strength"].numbers[:, 0].tolist() == [1.5, 3, 3]
    assert facts["sequence type"].constant


def test_the_number_of_a_constant_header_fact_is_said(made_up):
    facts = collect_facts(made_up([0, 1], "ab", columns={"field_strength_t": ["1.5", "1.5"], "maker": "known"}))
    assert "field strength (1.5)" in same_everywhere(facts)


def test_copies_share_their_border(made_up):
    frames = [np.full((4, 4, 3), value, np.uint8) for value in (0, 100, 200)]
    thumbnails = np.zeros((2, 60, 60), np.uint8)
    columns = {"copy_of": [-1, 0, -1]}
    facts = by_name(made_up([0, 0, 1], "aab", thumbnails=thumbnails, pixels=frames, columns=columns))
    assert facts["border pixels"].numbers[:, 0] == pytest.approx([0, 0, 200 / 255])
