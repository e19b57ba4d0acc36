"""Which parts of a published split are held against each other."""

from __future__ import annotations

import pytest

from tumorlens.audit.published_parts import find_published_parts


@pytest.mark.parametrize(
    ("parts", "held_out", "tested"),
    [
        (["train", "test", "validation", ""], "test", [False, True, False, False]),
        (["train", "validation", None, "train"], "validation", [False, True, False, False]),
    ],
)
def test_the_test_part_or_else_the_validation_part_is_held_out(made_up, parts, held_out, tested):
    found = find_published_parts(made_up([0, 0, 1, 1], "abcd", columns={"published_part": parts}))
    assert found.held_out == held_out
    assert found.tested.tolist() == tested
    assert found.trained.tolist() == [part == "train" for part in parts]


@pytest.mark.parametrize("parts", [["train", "train"], ["test", "validation"], ["", ""]])
def test_one_part_is_no_split(made_up, parts):
    assert find_published_parts(made_up([0, 1], "ab", columns={"published_part": parts})) is None
    assert find_published_parts(made_up([0, 1], "ab")) is None
