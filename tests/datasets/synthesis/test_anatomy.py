from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.synthesis.anatomy import Anatomy, draw_anatomy, smoothstep
from tumorlens.datasets.synthesis.deformation import MassEffect
from tumorlens.datasets.synthesis.grid import Grid

_VOXEL_ML = 4 * 3 * 3 / 1000


@pytest.mark.parametrize("seed", range(3))
def test_brain_and_its_parts_have_human_size(head: Grid, seed: int) -> None:
    drawn = draw_anatomy(np.random.default_rng(seed), deformation_mm=(2.0, 4.5))
    tissue = drawn.tissue(head)
    brain_ml = tissue.brain.sum() * _VOXEL_ML
    white_share = (tissue.white * (1 - tissue.fluid) * tissue.brain).sum() / tissue.brain.sum()
    ventricles = tissue.fluid * (tissue.ventricle_mm < 1) * (tissue.depth_mm > 10)
    assert 950 < brain_ml < 1900
    assert 0.25 < white_share < 0.55
    assert 5 < ventricles.sum() * _VOXEL_ML < 120


def test_shares_stay_between_zero_and_one(head: Grid, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue(head)
    for share in (tissue.brain, tissue.fluid, tissue.white, tissue.tracts):
        assert share.dtype == np.float32
        assert share.min() >= 0
        assert share.max() <= 1


def test_heads_differ(head: Grid) -> None:
    first, second = (
        draw_anatomy(np.random.default_rng(seed), deformation_mm=(2.0, 4.5)).tissue(head) for seed in (0, 1)
    )
    assert np.abs(first.white - second.white).mean() > 0.03


def test_part_of_tissue_is_tissue_of_part(head: Grid, anatomy: Anatomy) -> None:
    window = head.near((0.0, -17.0, 10.0), radius_mm=30)
    part = anatomy.tissue(head).part(window)
    again = anatomy.tissue(head.part(window))
    np.testing.assert_array_equal(part.white, again.white)
    np.testing.assert_array_equal(part.fluid, again.fluid)


def test_mass_effect_moves_tissue_near_it_only(head: Grid, anatomy: Anatomy) -> None:
    push = MassEffect((20.0, -10.0, 30.0), reach_mm=15.0, strength=0.5)
    change = np.abs(anatomy.tissue(head, push).t1 - anatomy.tissue(head).t1)
    z, y, x = head.offsets(push.centre_mm)
    distance = np.sqrt(z * z + y * y + x * x)
    assert change[distance < 20].mean() > 0.01
    assert change[distance > 50].max() < 1e-3


def test_smoothstep_rises_from_zero_to_one() -> None:
    values = smoothstep(np.array([-1, 0, 0.25, 0.5, 1, 2], np.float32))
    np.testing.assert_allclose(values, [0, 0, 0.15625, 0.5, 1, 1])
