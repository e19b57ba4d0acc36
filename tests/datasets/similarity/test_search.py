from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tumorlens.datasets.measures import thumbnail
from tumorlens.datasets.similarity import (
    find_twins,
    find_twins_between,
    nearest_in_other_parts,
    nearest_similarity,
    search,
)
from tumorlens.datasets.similarity.alignment import aligned_similarity, lengths
from tumorlens.datasets.similarity.turns import TURNS, turn_pictures


def shrink(pictures: np.ndarray) -> np.ndarray:
    """Their thumbnails, made as at import."""
    return np.stack([thumbnail(Image.fromarray(picture)) for picture in pictures])


def recode(picture: np.ndarray) -> np.ndarray:
    """A picture written as JPEG of low quality and read again."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "re-encoded": recode,
    "rescaled": lambda picture: np.asarray(Image.fromarray(picture).resize((173, 173))),
    "darker": lambda picture: (picture * 0.6 + 20).astype(np.uint8),
    "gamma 0.7": lambda picture: (255 * (picture / 255) ** 0.7).astype(np.uint8),
    "gamma 1.4": lambda picture: (255 * (picture / 255) ** 1.4).astype(np.uint8),
    "shifted": lambda picture: np.roll(picture, (7, -6), (0, 1)),
}
"""What a copy survives."""


def brute_force(queries: np.ndarray, references: np.ndarray, *, turn: int) -> np.ndarray:
    """Similarity of all pairs, ``(q, r)``."""
    spans = lengths(references)
    return np.stack([aligned_similarity(turn_pictures(query, turn), references, spans) for query in queries])


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize("turn", TURNS)
def test_changed_and_turned_copies_are_found_and_nothing_else(heads: np.ndarray, change: str, turn: int) -> None:
    copies = np.stack([CHANGES[change](turn_pictures(head, turn)) for head in heads])
    pairs = find_twins_between(shrink(heads), shrink(copies), above=0.95)
    assert pairs.first.tolist() == pairs.second.tolist() == list(range(len(heads)))
    assert set(pairs.turn.tolist()) == {turn}
    assert (pairs.similarity > 0.95).all()
    assert (pairs.similarity <= 1).all()


def test_within_one_set_each_pair_stands_once_with_the_larger_second(heads: np.ndarray) -> None:
    small = shrink(heads)
    turned = np.concatenate([turn_pictures(small, 1)[:5], turn_pictures(small, 3)[5:10]])
    pairs = find_twins(np.concatenate([small, turned]), above=0.95)
    assert pairs.first.tolist() == list(range(10))
    assert pairs.second.tolist() == list(range(20, 30))
    assert pairs.turn.tolist() == [1] * 5 + [3] * 5
    assert len(find_twins(np.concatenate([small, turned]), above=0.95, turns=False)) == 0


def test_a_nearly_symmetric_scan_counts_as_upright(heads: np.ndarray) -> None:
    symmetric = np.minimum(heads, heads[:, :, ::-1])
    symmetric[:, :, :120] = np.clip(symmetric[:, :, :120] * 1.04, 0, 255)
    small = shrink(symmetric)
    pairs = find_twins_between(small, small[:, :, ::-1], above=0.95)
    own = pairs.first == pairs.second
    assert own.sum() == len(heads)
    assert (pairs.turn[own] == 0).all()


@pytest.mark.parametrize("above", [0.8, 0.9])
def test_hardly_a_pair_of_brute_force_is_lost(draw: Callable[..., np.ndarray], above: float) -> None:
    small = shrink(draw(2, 32))
    blend = (0.5 * small[:16] + 0.5 * small[16:]).astype(np.uint8)
    thumbnails = np.concatenate([small, blend])
    best = np.max([brute_force(thumbnails, thumbnails, turn=turn) for turn in TURNS], axis=0)
    upright = brute_force(thumbnails, thumbnails, turn=0)
    expected = np.triu(np.where(upright >= best - 0.02, upright, best) > above, 1)
    pairs = find_twins(thumbnails, above=above)
    found = np.zeros_like(expected)
    found[pairs.first, pairs.second] = True
    assert expected.sum() >= 20
    assert (found & expected).sum() >= 0.99 * expected.sum()
    assert (found & ~expected).sum() <= 0.01 * expected.sum()  # the edge is filled on the other side


def test_the_approximate_index_finds_the_same(
    heads: np.ndarray, draw: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = shrink(np.concatenate([heads, draw(3, 30)]))
    thumbnails = np.concatenate([small, turn_pictures(small, 3), np.roll(small, 1, axis=2)])
    exact = find_twins(thumbnails, above=0.95)
    monkeypatch.setattr(search, "MOST_EXACT", 10)
    near = find_twins(thumbnails, above=0.95)
    wanted = set(zip(exact.first, exact.second, exact.turn, strict=True))
    found = set(zip(near.first, near.second, near.turn, strict=True))
    assert len(wanted) >= 150
    assert len(found & wanted) >= 0.98 * len(wanted)
    assert len(found - wanted) <= 0.02 * len(wanted)


def test_nearest_similarity_is_the_highest_correlation() -> None:
    thumbnails = np.random.default_rng(0).integers(0, 256, (30, 60, 60), np.uint8)
    thumbnails[20] = thumbnails[3] // 2 + 9
    expected = np.corrcoef(thumbnails.reshape(30, -1).astype(float))[:10, 10:].max(axis=1)
    np.testing.assert_allclose(nearest_similarity(thumbnails[:10], thumbnails[10:]), expected, atol=1e-5)


def test_plain_and_missing_scans_have_no_twins() -> None:
    plain = np.full((3, 60, 60), 7, np.uint8)
    assert len(find_twins(plain, above=0.5)) == 0
    assert len(find_twins(plain[:0])) == len(find_twins_between(plain[:0], plain)) == 0
    assert nearest_similarity(plain[:1], plain[1:]).tolist() == [0]


def test_where_all_are_alike_the_work_is_bounded(heads: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumorlens.datasets.similarity.candidates.MOST_CANDIDATES", 5)
    same = np.repeat(shrink(heads[:1]), 40, axis=0)
    rng = np.random.default_rng(0)
    same = np.clip(same.astype(int) + rng.integers(-3, 4, same.shape), 0, 255).astype(np.uint8)
    pairs = find_twins(same, above=0.9, turns=False)
    assert 40 <= len(pairs) <= 40 * 5


def test_nearest_in_other_parts_is_the_nearest_of_the_rest(monkeypatch) -> None:
    monkeypatch.setattr(search, "_ROWS", 7)
    thumbnails = np.random.default_rng(3).integers(0, 256, (20, 60, 60), np.uint8)
    parts = np.stack([np.arange(20) % 3, np.arange(20) // 10])
    found = nearest_in_other_parts(thumbnails, parts)
    for part_of, best in zip(parts, found, strict=True):
        for part in np.unique(part_of):
            inside = part_of == part
            assert best[inside] == pytest.approx(nearest_similarity(thumbnails[inside], thumbnails[~inside]), abs=1e-6)
    assert (nearest_in_other_parts(thumbnails, np.zeros((1, 20), np.int64)) == -1).all()
