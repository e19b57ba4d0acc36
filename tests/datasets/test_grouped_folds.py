"""Folds keep whole what must not be parted, and hold every class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.datasets import Dataset, repeat_folds, residual_in_folds
from tumorlens.datasets.grouped_folds import assign_folds
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.datasets.record import DatasetRecord, ImportFlow
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.errors import InputError


def table(groups: list[str], labels: list[str], digests: list[str]) -> Dataset:
    """A data set without pixels: folds need only the manifest."""
    classes = tuple(sorted(set(labels)))
    manifest = pd.DataFrame(
        {"row_id": range(len(groups)), "group": groups, "label": labels, "pixel_digest": digests},
    )
    flow = ImportFlow(len(groups), len(groups), 0, len(groups), dict.fromkeys(classes, 1))
    record = DatasetRecord("t", classes, None, "patients", "0" * 64, flow, len(set(groups)))
    return Dataset(Path(), record, manifest)


@st.composite
def datasets(draw: st.DrawFn) -> tuple[Dataset, int]:
    """2 to 5 folds for 12 to 30 groups, some of which share pixels; both classes in at least 10 of them."""
    groups, labels, digests = [], [], []
    for group in range(draw(st.integers(12, 30))):
        extra = draw(st.lists(st.sampled_from("ab"), max_size=4))
        for label in ["a", "b", *extra] if group < 10 else ["a", *extra]:
            groups.append(f"g{group}")
            labels.append(label)
            digests.append(f"own{len(digests)}")
    for first, second in draw(st.lists(st.tuples(*[st.integers(0, len(groups) - 1)] * 2), max_size=4)):
        digests[second] = digests[first]
    return table(groups, labels, digests), draw(st.integers(2, 5))


@settings(max_examples=60, deadline=None)
@given(datasets(), st.integers(0, 2**31))
def test_laws_of_folds(drawn: tuple[Dataset, int], seed: int) -> None:
    dataset, count = drawn
    found = repeat_folds(dataset, folds=count, repeats=2, seed=seed)
    for of_row in found.of_row:
        assert set(of_row.tolist()) == set(range(count))
        for names in (dataset.groups, dataset.digests):
            for name in set(names.tolist()):
                assert len(set(of_row[names == name].tolist())) == 1
        for fold in range(count):
            assert set(dataset.labels[of_row == fold].tolist()) == {0, 1}
    trained_on, held_out = found.sides(1, 0)
    assert sorted([*trained_on.tolist(), *held_out.tolist()]) == list(range(len(dataset)))
    assert (found.of_row[1][held_out] == 0).all()


def test_groups_that_share_pixels_are_one_unit() -> None:
    units = whole_units(np.array(["p", "q", "r", "q", "s"]), np.array(["1", "2", "2", "3", "4"]))
    assert units[1] == units[2] == units[3]
    assert len(set(units.tolist())) == 3


def test_repeats_differ_and_are_repeatable() -> None:
    labels = ["a", "b"] * 40
    dataset = table([f"g{row // 2}" for row in range(80)], labels, [str(row) for row in range(80)])
    first, again = (repeat_folds(dataset, folds=4, repeats=3, seed=7) for _ in range(2))
    assert first.digest == again.digest
    assert (first.of_row == again.of_row).all()
    assert len({tuple(of_row.tolist()) for of_row in first.of_row}) == 3
    later = repeat_folds(dataset, folds=4, repeats=2, seed=8)
    assert (later.of_row == first.of_row[1:]).all()
    assert later.digest != first.digest
    counts = np.array(
        [[((of_row == fold) & (dataset.labels == 0)).sum() for fold in range(4)] for of_row in first.of_row]
    )
    assert (counts == 10).all()


def test_too_few_groups_or_folds_are_refused() -> None:
    labels, units = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4])
    with pytest.raises(InputError, match=r"each class in at least 3 patients .* 'b' occurs in 2"):
        assign_folds(labels, units, classes=("a", "b"), folds=3, seed=0, unit="patients")
    dataset = table(["p", "q"], ["a", "b"], ["1", "2"])
    for folds, repeats in ((1, 1), (2, 0)):
        with pytest.raises(InputError, match="at least 2 folds and 1 repeat"):
            repeat_folds(dataset, folds=folds, repeats=repeats)


def test_units_that_cannot_be_divided_are_refused() -> None:
    """Three units of two classes each: whatever two folds they form, one of them lacks a class."""
    labels, units = np.array([0, 1, 1, 2, 2, 0]), np.array([0, 0, 1, 1, 2, 2])
    with pytest.raises(InputError, match=r"clusters cannot be divided into 2 folds that hold every class"):
        assign_folds(labels, units, classes=("a", "b", "c"), folds=2, seed=0, unit="clusters")


def test_residual_neighbours_are_those_of_any_repeat(tiny_study) -> None:
    dataset = tiny_study.dataset
    folds = repeat_folds(dataset, folds=3, repeats=2)
    thumbnails = dataset.thumbnails()
    best = np.full(len(dataset), -1.0)
    for repeat in range(2):
        for fold in range(3):
            trained_on, held_out = folds.sides(repeat, fold)
            near = nearest_similarity(thumbnails[held_out], thumbnails[trained_on])
            best[held_out] = np.maximum(best[held_out], near)
    found = residual_in_folds(dataset, folds)
    assert (found.test_scans, found.above_095, found.above_098) == (len(best), (best > 0.95).sum(), (best > 0.98).sum())
    whole = replace(folds, of_row=np.zeros_like(folds.of_row))
    assert residual_in_folds(dataset, whole).above_095 == 0
