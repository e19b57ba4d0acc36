from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tumorlens.datasets import CLUSTER_THRESHOLD, cluster_scans
from tumorlens.datasets.clusters import LIKELY, SURE, cluster_links
from tumorlens.datasets.measures import thumbnail
from tumorlens.datasets.neighbours import has_near_twin
from tumorlens.datasets.similarity import index
from tumorlens.datasets.similarity.links import Links
from tumorlens.datasets.synthesis import SynthesisSettings, virtual_patient


def links_of(*rows: tuple[int, int, float], turned: tuple[int, ...] = ()) -> Links:
    first, second, likeness = zip(*rows, strict=True) if rows else ((), (), ())
    marks = np.isin(np.arange(len(rows)), turned)
    return Links(np.array(first, np.int64), np.array(second, np.int64), np.array(likeness, np.float32), marks)


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


def test_slices_of_one_head_and_copies_of_them_share_a_cluster() -> None:
    heads = SynthesisSettings(patients=2, slices_each=39, spacing_mm=2.0, seed=5, size=96, tumor_share=0)
    cuts = [(number, cut) for number in range(2) for cut in virtual_patient(heads, number).slices]
    small = np.stack([thumbnail(Image.fromarray(cut.pixels)) for _, cut in cuts])
    patients = np.array([number for number, _ in cuts])
    heights = np.array([cut.height_mm for _, cut in cuts])
    clusters = cluster_scans(np.concatenate([small, small[::5, :, ::-1], np.rot90(small[::7], axes=(1, 2))]))
    near = (np.diff(heights) < 2.1) & (np.diff(patients) == 0)
    together = np.diff(clusters[: len(small)]) == 0
    assert near.sum() > 30
    assert together[near].mean() >= 0.9
    assert not set(clusters[: len(small)][patients == 0]) & set(clusters[: len(small)][patients == 1])
    assert clusters[len(small) :].tolist() == [*clusters[: len(small) : 5], *clusters[: len(small) : 7]]


def test_sure_links_join_whatever_else_is_likely() -> None:
    chain = links_of(*((number, number + 1, SURE + 0.01) for number in range(9)))
    assert cluster_links(chain, count=10).tolist() == [0] * 10


def test_two_pieces_join_only_where_each_is_among_the_likeliest_of_the_other() -> None:
    pair = links_of((0, 1, LIKELY + 0.01))
    assert cluster_links(pair, count=3).tolist() == [0, 0, 1]
    star = links_of(*((0, number, LIKELY + 0.05 - number / 100) for number in range(1, 5)))
    assert cluster_links(star, count=5).tolist() == [0, 0, 0, 1, 2]


def test_a_scan_with_four_likelier_neighbours_of_its_own_joins_no_other_piece() -> None:
    own = [(0, number, 0.92) for number in range(1, 5)]
    beyond = (0, 5, LIKELY + 0.02)
    assert cluster_links(links_of(*own[:3], beyond), count=6).tolist() == [0, 0, 0, 0, 1, 0]
    assert cluster_links(links_of(*own, beyond), count=6).tolist() == [0, 0, 0, 0, 0, 1]


def test_a_mirrored_copy_is_held_by_the_neighbours_of_its_original() -> None:
    own = [(0, number, 0.92) for number in range(1, 5)]
    stray = (6, 5, LIKELY + 0.02)  # a mirrored copy looks most like another head of the same height
    assert cluster_links(links_of(*own, (0, 6, 0.95), stray, turned=(4,)), count=7).tolist() == [0] * 5 + [1, 0]
    assert cluster_links(links_of(*own, stray), count=7).tolist() == [0] * 5 + [1, 1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_partition_does_not_depend_on_the_order(seed: int) -> None:
    thumbnails = families(seed, count=6, most=5, noise=8)
    order = np.random.default_rng(seed).permutation(len(thumbnails))
    once, again = cluster_scans(thumbnails), cluster_scans(thumbnails[order])
    assert same_partition(once[order], again)


def test_numbers_follow_first_appearance() -> None:
    numbers = cluster_scans(families(1, count=5, most=4, noise=2))
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
    assert cluster_scans(np.zeros((1, 60, 60), np.uint8)).tolist() == [0]
    assert has_near_twin(np.zeros((1, 60, 60), np.uint8)).tolist() == [False]


@pytest.mark.parametrize("most_exact", [20_000, 10])
def test_near_twins_are_those_of_numpys_correlation(monkeypatch: pytest.MonkeyPatch, most_exact: int) -> None:
    monkeypatch.setattr(index, "MOST_EXACT", most_exact)
    thumbnails = families(3, count=40, most=3, noise=8)
    expected = np.corrcoef(thumbnails.reshape(len(thumbnails), -1).astype(float))
    np.fill_diagonal(expected, -1)
    near = expected.max(axis=1) > CLUSTER_THRESHOLD
    assert 10 < near.sum() < len(near) - 5
    assert has_near_twin(thumbnails).tolist() == near.tolist()
