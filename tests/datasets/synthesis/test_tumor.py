from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.datasets.synthesis.anatomy import Anatomy
from tumorlens.datasets.synthesis.grid import Grid
from tumorlens.datasets.synthesis.tumor import HEIGHTS_MM, Tumor, draw_tumor


def _distance_mm(grid: Grid, tumor: Tumor) -> np.ndarray:
    z, y, x = grid.offsets(tumor.centre_mm)
    return np.sqrt(z * z + y * y + x * x)


@pytest.fixture(params=range(5))
def tumor(request: pytest.FixtureRequest, anatomy: Anatomy) -> Tumor:
    return draw_tumor(np.random.default_rng(request.param), anatomy=anatomy)


def test_parts_are_shares_within_reach_and_brain(head: Grid, anatomy: Anatomy, tumor: Tumor) -> None:
    tissue = anatomy.tissue(head, tumor.mass_effect)
    parts = tumor.parts(head, tissue)
    for share in (parts.core, parts.necrosis, parts.oedema):
        assert share.dtype == np.float32
        assert np.isfinite(share).all()
        assert share.min() >= 0
        assert share.max() <= 1
        assert not share[tissue.brain == 0].any()
        assert not share[_distance_mm(head, tumor) > tumor.reach_mm].any()
    assert (parts.necrosis <= parts.core).all()
    assert parts.mask.any()


def test_core_has_about_the_volume_of_its_radius(anatomy: Anatomy) -> None:
    ratios = []
    for seed in range(4):
        tumor = draw_tumor(np.random.default_rng(seed), anatomy=anatomy)
        lines = np.arange(-63, 64, 3, dtype=np.float32)
        z, y, x = tumor.centre_mm
        grid = Grid(lines + np.float32(z), lines + np.float32(y), lines + np.float32(x))
        tissue = anatomy.tissue(grid, tumor.mass_effect)
        everywhere = replace(tissue, brain=np.ones_like(tissue.brain), fluid=np.zeros_like(tissue.fluid))
        volume = tumor.parts(grid, everywhere).core.sum() * 27
        ratios.append(volume / (4 / 3 * np.pi * tumor.radius_mm**3))
    assert 0.6 < np.median(ratios) < 1.8


def test_oedema_prefers_white_matter(head: Grid, anatomy: Anatomy) -> None:
    shares = []
    for seed in range(4):
        tumor = replace(draw_tumor(np.random.default_rng(seed), anatomy=anatomy), oedema_mm=15.0)
        tissue = anatomy.tissue(head, tumor.mass_effect)
        parts = tumor.parts(head, tissue)
        around = (_distance_mm(head, tumor) < tumor.radius_mm + 15) & (tissue.brain > 0.5)
        around &= parts.core < 0.1
        swollen = around & (parts.oedema > 0.5)
        spared = around & (parts.oedema < 0.1)
        if swollen.any() and spared.any():
            shares.append(tissue.white[swollen].mean() - tissue.white[spared].mean())
    assert len(shares) >= 3
    assert np.mean(shares) > 0.2


def test_no_oedema_and_no_necrosis_when_not_asked_for(head: Grid, anatomy: Anatomy, tumor: Tumor) -> None:
    plain = replace(tumor, oedema_mm=0.0, necrosis=0.0)
    parts = plain.parts(head, anatomy.tissue(head, plain.mass_effect))
    assert not parts.oedema.any()
    assert not parts.necrosis.any()


def test_heights_are_spread_evenly(anatomy: Anatomy) -> None:
    rng = np.random.default_rng(2)
    heights = [draw_tumor(rng, anatomy=anatomy).centre_mm[0] for _ in range(60)]
    lowest, highest = HEIGHTS_MM
    assert lowest <= min(heights)
    assert max(heights) <= highest
    assert np.mean(heights) == pytest.approx((lowest + highest) / 2, abs=12)
    assert np.ptp(heights) > 0.8 * (highest - lowest)


def test_tissue_is_pushed_away_from_the_core(head: Grid, anatomy: Anatomy) -> None:
    tumor = replace(draw_tumor(np.random.default_rng(1), anatomy=anatomy), push=0.5)
    plain = anatomy.locate(head)
    pushed = anatomy.locate(head, tumor.mass_effect)
    offsets = np.stack(np.broadcast_arrays(*head.offsets(tumor.centre_mm)))
    ring = np.abs(_distance_mm(head, tumor) - tumor.radius_mm - 3) < 3
    ring &= anatomy.tissue(head).depth_mm > 5
    outward = ((plain - pushed) * offsets).sum(axis=0)[ring]
    assert (outward > 0).mean() > 0.95
