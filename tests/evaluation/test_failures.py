"""Errors by group: by hand, and what holds for any predictions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.evaluation.failures import MOST_SHOWN, find_failures


def errors_in(counts):
    """Labels, predictions and groups with (errors, scans) by group."""
    groups = np.concatenate([[name] * scans for name, (_, scans) in counts.items()])
    predicted = np.concatenate([[1] * errors + [0] * (scans - errors) for errors, scans in counts.values()])
    return np.zeros(len(groups), np.int64), predicted, groups


def test_by_hand():
    labels, predicted, groups = errors_in({"a": (2, 4), "b": (2, 2), "c": (3, 5), "d": (0, 7), "e": (2, 2)})
    found = find_failures(labels, predicted, groups=groups)
    rows = [(own.group, own.n_scans, own.n_errors, own.share) for own in found.worst]
    assert rows == [("c", 5, 3, 0.6), ("b", 2, 2, 1.0), ("e", 2, 2, 1.0), ("a", 4, 2, 0.5)]
    assert (found.n_errors, found.n_groups, found.groups_with_half) == (9, 4, 2)  # 3 + 2 of 9


def test_exactly_half_in_one_group():
    found = find_failures(*errors_in({"a": (2, 4), "b": (1, 4), "c": (1, 4)})[:2], groups=np.repeat(list("abc"), 4))
    assert found.groups_with_half == 1


def test_no_errors():
    found = find_failures(np.zeros(3, int), np.zeros(3, int), groups=np.array(list("abc")))
    assert (found.worst, found.n_errors, found.n_groups, found.groups_with_half) == ((), 0, 0, None)


def test_at_most_ten_are_named():
    labels, predicted, groups = errors_in({f"g{number:02d}": (1, 2) for number in range(25)})
    found = find_failures(labels, predicted, groups=groups)
    assert [own.group for own in found.worst] == [f"g{number:02d}" for number in range(MOST_SHOWN)]
    assert (found.n_groups, found.groups_with_half) == (25, 13)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40), st.randoms())
def test_half_is_the_fewest_and_no_order_matters(scans, random):
    def found_in(rows):
        wrong = np.array([bad for _, bad in rows], np.int64)
        return find_failures(np.zeros(len(rows), np.int64), wrong, groups=np.array([str(group) for group, _ in rows]))

    found = found_in(scans)
    shuffled = list(scans)
    random.shuffle(shuffled)
    assert found_in(shuffled) == found
    counts = [own.n_errors for own in found.worst]
    assert sum(counts) == found.n_errors and len(counts) == found.n_groups
    enough = [
        size
        for size in range(1, len(counts) + 1)
        if any(2 * sum(some) >= found.n_errors for some in combinations(counts, size))
    ]
    assert found.groups_with_half == (enough[0] if enough else None)
