from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from tumorlens.datasets import cluster_scans, clusters
from tumorlens.datasets.neighbours import best_correlation, similar_pairs, unit_thumbnails
from tumorlens.errors import InputError


def families(seed: int, *, count: int, most: int, noise: float) -> np.ndarray:
    """Thumbnails in families of near-twins, shuffled."""
    rng = np.random.default_rng(seed)
    scans = []
    for _ in range(count):
        base = rng.normal(128, 40, (12, 12))
        scans += [base + rng.normal(0, noise, base.shape) for _ in range(rng.integers(1, most + 1))]
    return np.clip(rng.permutation(np.array(scans)), 0, 255).astype(np.uint8)


def same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len(set(first.tolist())) == len(set(second.tolist()))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(2, 25), st.sampled_from([0.8, 0.9, 0.94]))
def test_equals_average_linkage_of_all_pairs(seed: int, noise: float, threshold: float) -> None:
    thumbnails = families(seed, count=8, most=6, noise=noise)
    units = unit_thumbnails(thumbnails).astype(np.float64)
    if len(units) < 2:
        return
    above = np.triu_indices(len(units), 1)
    tree = linkage(1 - (units @ units.T)[above], "average")
    if np.abs(tree[:, 2] - (1 - threshold)).min() < 1e-5:  # too close to the cut for float32
        return
    expected = fcluster(tree, 1 - threshold, criterion="distance")
    assert same_partition(cluster_scans(thumbnails, threshold=threshold), expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_partition_does_not_depend_on_the_order(seed: int) -> None:
    thumbnails = families(seed, count=6, most=5, noise=8)
    order = np.random.default_rng(seed).permutation(len(thumbnails))
    once, again = cluster_scans(thumbnails), cluster_scans(thumbnails[order])
    assert same_partition(once[order], again)


def test_numbers_follow_first_appearance() -> None:
    thumbnails = families(1, count=5, most=4, noise=2)
    numbers = cluster_scans(thumbnails)
    _, first = np.unique(numbers, return_index=True)
    assert numbers.dtype == np.int64
    assert (np.diff(first) > 0).all()
    assert numbers[0] == 0


def test_equal_scans_share_a_cluster_and_plain_ones_stand_alone() -> None:
    same = families(2, count=1, most=1, noise=0)
    plain = np.full_like(same, 7)
    numbers = cluster_scans(np.concatenate([same, plain, same, plain]))
    assert numbers.tolist() == [0, 1, 0, 2]


def test_no_scans_no_clusters() -> None:
    assert cluster_scans(np.empty((0, 60, 60), np.uint8)).shape == (0,)


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_MOST_PAIRS", 3)
    with pytest.raises(InputError, match="--group-column"):
        cluster_scans(families(1, count=1, most=1, noise=0).repeat(5, axis=0))


def test_correlation_is_numpys() -> None:
    thumbnails = families(3, count=6, most=3, noise=10)
    expected = np.corrcoef(thumbnails.reshape(len(thumbnails), -1).astype(float))
    units = unit_thumbnails(thumbnails)
    np.testing.assert_allclose(units @ units.T, expected, atol=1e-5)
    np.testing.assert_allclose(best_correlation(units[:3], units[3:]), expected[:3, 3:].max(axis=1), atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_pairs_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    thumbnails = families(4, count=4, most=5, noise=5)
    units = unit_thumbnails(thumbnails)
    expected = set(zip(*np.nonzero(np.triu(units @ units.T > 0.9, 1)), strict=True))
    monkeypatch.setattr("tumorlens.datasets.neighbours._CHUNK_ROWS", chunk)
    found = [(a, b) for i, j, _ in similar_pairs(units, above=0.9) for a, b in zip(i, j, strict=True)]
    assert len(found) == len(set(found))
    assert set(found) == expected
