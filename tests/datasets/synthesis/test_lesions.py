from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.datasets.synthesis.anatomy import Anatomy
from tumorlens.datasets.synthesis.grid import Grid
from tumorlens.datasets.synthesis.lesions import WhiteMatterLesions, draw_lesions


@pytest.fixture
def lesions() -> WhiteMatterLesions:
    return draw_lesions(np.random.default_rng(4))


def test_lesions_are_shares_of_white_matter(head: Grid, anatomy: Anatomy, lesions: WhiteMatterLesions) -> None:
    tissue = anatomy.tissue(head)
    share = lesions.on(head, tissue)
    assert np.isfinite(share).all()
    assert share.min() >= 0
    assert (share <= tissue.white + 1e-6).all()


def test_a_small_lesion_is_bright_at_its_centre_only(anatomy: Anatomy, lesions: WhiteMatterLesions) -> None:
    lines = np.arange(-20, 21, dtype=np.float32)
    grid = Grid(np.array([26], np.float32), lines - 20, lines + 27)
    tissue = anatomy.tissue(grid)
    white = replace(
        tissue,
        white=np.ones_like(tissue.white),
        fluid=np.zeros_like(tissue.fluid),
        ventricle_mm=np.full_like(tissue.ventricle_mm, 90),
    )
    one = replace(
        lesions,
        centres_mm=np.array([[26.0, -20.0, 27.0]]),
        radii_mm=np.array([3.0]),
        patch_level=9.0,
    )
    share = one.on(grid, white)[0]
    assert share[20, 20] == pytest.approx(1.0)
    assert share[20, 23] == pytest.approx(np.exp(-1), rel=1e-3)
    assert share[20, 35] < 1e-3


def test_hidden_age_gives_few_and_many() -> None:
    counts = [len(draw_lesions(np.random.default_rng(seed)).radii_mm) for seed in range(30)]
    assert min(counts) <= 2
    assert max(counts) >= 20
