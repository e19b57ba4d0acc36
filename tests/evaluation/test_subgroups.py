"""Figures by level of a column: by hand, against the figures of all scans, and which level is called the worst."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.evaluation import summarise
from tumorlens.evaluation.subgroups import SUBGROUP_FIGURES, compare_subgroups

CLASSES = ("no", "yes")


def make_scans(n, *, groups, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    scores = np.round(np.clip(0.35 * labels + 0.65 * rng.random(n), 0, 1), 3)
    return labels, scores, np.char.add("g", rng.integers(0, groups, n).astype(str))


def by_column(labels, scores, groups, values, **options):
    return compare_subgroups(
        labels,
        np.column_stack([1 - scores, scores]),
        predicted=(scores >= 0.5).astype(np.int64),
        groups=groups,
        groups_are="patients",
        classes=CLASSES,
        positive_class="yes",
        column="scanner",
        values=values,
        **{"draws": 200, **options},
    )


def test_by_hand():
    labels = np.array([1, 1, 0, 0, 1, 0])
    scores = np.array([0.9, 0.4, 0.1, 0.6, 0.8, 0.2])
    found = by_column(labels, scores, np.array(list("ppqqrr")), ["B", "B", "B", "B", "A", "A"])
    first, second = found.levels
    assert (found.column, first.name, first.n_scans, first.n_groups) == ("scanner", "A", 2, 1)
    assert (second.name, second.n_scans, second.n_groups) == ("B", 4, 2)
    assert [first.metrics[name].value for name in SUBGROUP_FIGURES] == [1.0, 1.0, 1.0, 1.0]
    assert [second.metrics[name].value for name in SUBGROUP_FIGURES] == [0.5, 0.5, 0.5, 0.75]
    assert second.metrics["accuracy"].low is None  # two groups bear no interval
    assert found.worst is None and found.judged == ()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_one_level_gives_the_figures_of_all_scans(seed, n_groups):
    labels, scores, groups = make_scans(80, groups=n_groups, seed=seed)
    (level,) = by_column(labels, scores, groups, ["same"] * 80, seed=5).levels
    summary = summarise(
        labels,
        np.column_stack([1 - scores, scores]),
        predicted=(scores >= 0.5).astype(np.int64),
        groups=groups,
        groups_are="patients",
        classes=CLASSES,
        positive_class="yes",
        draws=200,
        seed=5,
    )
    assert level.metrics == {name: summary.metrics[name] for name in SUBGROUP_FIGURES}
    assert (level.n_scans, level.n_groups) == (summary.n_scans, summary.n_groups)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_order_of_rows_changes_a_level(seed):
    labels, scores, groups = make_scans(90, groups=20, seed=seed)
    rng = np.random.default_rng(seed)
    values, order = rng.choice(["A", "B", ""], 90), rng.permutation(90)
    one = by_column(labels, scores, groups, values.tolist())
    other = by_column(labels[order], scores[order], groups[order], values[order].tolist())
    assert [level.name for level in one.levels] == [level.name for level in other.levels]
    for mine, theirs in zip(one.levels, other.levels, strict=True):
        for name, figure in mine.metrics.items():
            assert theirs.metrics[name].value == pytest.approx(figure.value)
            assert theirs.metrics[name].low == pytest.approx(figure.low)
    assert sum(level.n_scans for level in one.levels) == 90


def test_the_worst_is_among_levels_with_an_interval():
    labels, scores = np.tile([0, 1], 45), np.tile([0.1, 0.9], 45)
    values = np.repeat(["good", "bad", "tiny"], [40, 40, 10])
    groups = np.concatenate([np.repeat(np.arange(20), 2), np.repeat(np.arange(20, 40), 2), np.repeat([90, 91], 5)])
    scores[40:50] = 1 - scores[40:50]  # ten of forty scans are wrong
    scores[80:] = 1 - scores[80:]  # all ten are, in two groups
    found = by_column(labels, scores, groups.astype(str), values.tolist())
    assert found.worst.name == "bad" and found.worst.metrics["accuracy"].value == 0.75
    assert [level.name for level in found.judged] == ["bad", "good"]
    only = by_column(labels[40:], scores[40:], groups[40:].astype(str), values[40:].tolist())
    assert len(only.levels) == 2 and only.worst is None  # one level alone is no worst


def test_numbers_are_cut():
    labels, scores, groups = make_scans(80, groups=30)
    found = by_column(labels, scores, groups, np.arange(80))
    assert found.cuts == (19.75, 39.5, 59.25)
    assert [level.n_scans for level in found.levels] == [20, 20, 20, 20]
