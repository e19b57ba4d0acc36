from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tumorlens.datasets.similarity.likeness import Likeness, detail
from tumorlens.datasets.similarity.links import find_links
from tumorlens.datasets.similarity.turns import TURNS, turn_pictures


def thumbnails_of(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), 60, 4, 60, 4).mean(axis=(2, 4)).astype(np.uint8)


@pytest.mark.parametrize("turn", TURNS)
def test_likeness_weighs_the_correlation_of_pictures_and_of_details(heads: np.ndarray, turn: int) -> None:
    small = thumbnails_of(heads)
    turned = np.ascontiguousarray(turn_pictures(small, turn))
    likeness = Likeness(small)
    first, second = np.arange(10), np.arange(10, 20)
    both = [np.corrcoef(a[first].reshape(10, -1), b[second].reshape(10, -1)).diagonal(10)
            for a, b in ((turned, small), (detail(turned), detail(small)))]  # fmt: skip
    expected = 0.8 * both[0] + 0.2 * both[1]
    np.testing.assert_allclose(likeness.between(first, second, turn=turn), expected, atol=2e-3)
    rows = np.einsum("ij,ij->i", likeness.rows(first, turn=turn), likeness.rows(second))
    np.testing.assert_allclose(rows, expected, atol=2e-3)


def test_detail_is_nothing_outside_the_head_and_ignores_brightness(heads: np.ndarray) -> None:
    small = thumbnails_of(heads)
    found = detail(small)
    assert found.dtype == np.uint8
    assert (found[:, :4, :4] == 128).all()
    darker = detail((small * 0.5).astype(np.uint8)).astype(float)
    assert np.corrcoef(darker.ravel(), found.ravel().astype(float))[0, 1] > 0.95


def test_links_stand_once_and_name_turned_copies(heads: np.ndarray, draw: Callable[..., np.ndarray]) -> None:
    small = thumbnails_of(np.concatenate([heads, draw(9, 10)]))
    scans = np.concatenate([small, turn_pictures(small[:4], 3), turn_pictures(small[4:8], 6)])
    links = find_links(scans, above=0.9, turned_above=0.9)
    assert links.first.tolist() == list(range(8))
    assert links.second.tolist() == list(range(30, 38))
    np.testing.assert_allclose(links.likeness, 1, atol=1e-3)


def test_the_approximate_index_finds_nearly_the_same_links(
    draw: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = thumbnails_of(draw(11, 50))
    scans = np.concatenate([small, np.clip(small.astype(int) + 5, 0, 255).astype(np.uint8), small[:, ::-1]])
    exact = find_links(scans, above=0.8, turned_above=0.9)
    monkeypatch.setattr("tumorlens.datasets.similarity.index.MOST_EXACT", 10)
    near = find_links(scans, above=0.8, turned_above=0.9)
    wanted, found = (set(zip(links.first, links.second, strict=True)) for links in (exact, near))
    assert len(wanted) >= 150
    assert len(wanted & found) >= 0.98 * len(wanted)
