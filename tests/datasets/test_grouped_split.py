from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.datasets import PARTS, Dataset, check_split, import_scans, split_by_group
from tumorlens.datasets.grouped_split import DEFAULT_FRACTIONS, assign_groups
from tumorlens.datasets.record import DatasetRecord, ImportFlow
from tumorlens.errors import InputError
from tumorlens.workspace import Workspace

FRACTIONS = np.array([DEFAULT_FRACTIONS[part] for part in PARTS])


def table(groups: list[str], labels: list[str], digests: list[str] | None = None) -> Dataset:
    """A data set without pixels: splits need only the manifest."""
    classes = tuple(sorted(set(labels)))
    manifest = pd.DataFrame(
        {
            "row_id": range(len(groups)),
            "group": groups,
            "label": labels,
            "pixel_digest": digests or [f"{row:064x}" for row in range(len(groups))],
        }
    )
    flow = ImportFlow(len(groups), len(groups), 0, len(groups), dict.fromkeys(classes, 1))
    record = DatasetRecord("t", classes, None, "patients", "0" * 64, flow, len(set(groups)))
    return Dataset(Path(), record, manifest)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """8 to 40 groups of 1 to 6 scans with labels at random; each class in at least 8 groups."""
    count = draw(st.integers(8, 40))
    groups, labels = [], []
    for group in range(count):
        for label in draw(st.lists(st.sampled_from("ab"), max_size=4)):
            groups.append(f"g{group}")
            labels.append(label)
        for label in "ab" if group < 8 else "a":
            groups.append(f"g{group}")
            labels.append(label)
    order = draw(st.permutations(range(len(groups))))
    return table([groups[i] for i in order], [labels[i] for i in order])


@settings(max_examples=30, deadline=None)
@given(datasets(), st.integers(0, 2**32 - 1))
def test_laws_of_a_grouped_split(dataset: Dataset, seed: int) -> None:
    split = split_by_group(dataset, seed=seed)
    rows = np.concatenate([split.rows(part) for part in PARTS])
    assert sorted(rows.tolist()) == list(range(len(dataset)))
    for group in set(dataset.groups.tolist()):
        assert len(set(split.parts[dataset.groups == group].tolist())) == 1
    for part in PARTS:
        assert set(dataset.labels[split.rows(part)].tolist()) == {0, 1}
    again = split_by_group(dataset, seed=seed)
    assert split.digest == again.digest
    check_split(dataset, split)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100))
def test_class_counts_are_close_to_the_fractions(seed: int, split_seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 8, (150, 3))
    assigned = assign_groups(counts, fractions=FRACTIONS, seed=split_seed)
    totals = np.array([counts[assigned == part].sum(axis=0) for part in range(4)])
    assert np.abs(totals - np.outer(FRACTIONS, counts.sum(axis=0))).max() <= 3


def test_seeds_differ_and_large_groups_reach_small_parts() -> None:
    counts = np.random.default_rng(0).geometric(0.3, (120, 2))
    drawn = [assign_groups(counts, fractions=FRACTIONS, seed=seed) for seed in range(20)]
    assert len({assigned.tobytes() for assigned in drawn}) == 20
    sizes = counts.sum(axis=1)
    means = [np.mean([sizes[a == part].mean() for a in drawn]) for part in range(4)]
    assert max(means) / min(means) < 1.35


def test_one_group_of_each_class_a_part_is_enough() -> None:
    groups = [f"{label}{index}" for label in "ab" for index in range(4)]
    split = split_by_group(table(groups, [group[0] for group in groups]))
    assert all(len(split.rows(part)) == 2 for part in PARTS)


def test_too_few_groups_of_a_class_are_refused() -> None:
    groups = [f"a{index}" for index in range(9)] + ["b1", "b2", "b3"] * 5
    with pytest.raises(InputError, match="at least 4 patients, one for each part, but 'b' occurs"):
        split_by_group(table(groups, [group[0] for group in groups]))


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"train": 0.8, "test": 0.2}, "a fraction for each of train, validation"),
        (dict(zip(PARTS, (0.5, 0.2, 0.2, 0.2), strict=True)), "sum to 1"),
        (dict(zip(PARTS, (0.8, 0.2, 0.0, 0.0), strict=True)), "above 0"),
        (dict(zip(PARTS, (float("nan"), 0.2, 0.2, 0.2), strict=True)), "above 0"),
    ],
)
def test_wrong_fractions_are_refused(fractions: dict[str, float], message: str) -> None:
    groups = [f"{label}{index}" for label in "ab" for index in range(9)]
    with pytest.raises(InputError, match=message):
        split_by_group(table(groups, [group[0] for group in groups]), fractions=fractions)


def test_fractions_are_followed() -> None:
    groups = [f"{label}{index}" for label in "ab" for index in range(48)]
    even = dict.fromkeys(PARTS, 0.25)
    split = split_by_group(table(groups, [group[0] for group in groups]), fractions=even)
    assert split.sizes() == dict.fromkeys(PARTS, 24)


def test_patients_who_share_a_copy_stay_together() -> None:
    groups = [f"{label}{index}" for label in "ab" for index in range(8)]
    digests = [f"{row:064x}" for row in range(16)]
    digests[3] = digests[11] = digests[5]
    for seed in range(10):
        split = split_by_group(table(groups, [g[0] for g in groups], digests), seed=seed)
        assert len({split.parts[row] for row in (3, 5, 11)}) == 1


def test_inferred_clusters_are_kept_together(
    tmp_path: Path, workspace: Workspace, write_scan: Callable[..., Path]
) -> None:
    for row in range(60):
        write_scan(tmp_path / "s" / f"{'ab'[row % 2]}" / f"{row}.png", row // 3, jitter=row)
    dataset = import_scans(tmp_path / "s", workspace=workspace, name="t").dataset
    split = split_by_group(dataset)
    assert split.groups_are == "clusters"
    assert dataset.record.groups == 20
