from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tumorlens.datasets.whole_volumes import join_volumes


def test_clusters_that_share_a_volume_become_one() -> None:
    clusters = ["c0", "c1", "c2", "c1", "c3"]
    volumes = ["a", "a", "b", "c", ""]
    assert join_volumes(clusters, volumes) == ["c0", "c0", "c2", "c0", "c3"]


def test_scans_without_a_volume_are_not_joined() -> None:
    assert join_volumes(["c0", "c1"], ["", ""]) == ["c0", "c1"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=30))
def test_neither_a_cluster_nor_a_volume_is_ever_cut(rows: list[tuple[int, int]]) -> None:
    clusters = [f"c{cluster}" for cluster, _ in rows]
    volumes = [f"v{volume}" if volume else "" for _, volume in rows]
    joined = join_volumes(clusters, volumes)
    for names in (clusters, volumes):
        for name in set(names) - {""}:
            assert len({new for new, old in zip(joined, names, strict=True) if old == name}) == 1
