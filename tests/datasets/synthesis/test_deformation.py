from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.datasets.synthesis.deformation import MassEffect, draw_deformation
from tumorlens.datasets.synthesis.grid import Grid
from tumorlens.datasets.synthesis.templates import load_template


def _volume_ratio(points: np.ndarray, grid: Grid) -> np.ndarray:
    """Determinant of the Jacobian of the pull-back."""
    axes = (grid.z_mm, grid.y_mm, grid.x_mm)
    rows = [np.stack(np.gradient(points[axis], *axes), axis=-1) for axis in range(3)]
    return np.linalg.det(np.stack(rows, axis=-2))


def test_without_deformation_only_the_affine_remains(head: Grid) -> None:
    deformation = draw_deformation(np.random.default_rng(0), range_mm=(0.0, 0.0))
    still = replace(deformation, matrix=np.eye(3), ventricles=0.0)
    z, y, x = still.pull_back(head, template=load_template())
    np.testing.assert_allclose(z, np.broadcast_to(head.z_mm[:, None, None], head.shape), atol=1e-4)
    np.testing.assert_allclose(y, np.broadcast_to(head.y_mm[None, :, None], head.shape), atol=1e-4)
    np.testing.assert_allclose(x, np.broadcast_to(head.x_mm[None, None, :], head.shape), atol=1e-4)


@pytest.mark.parametrize("large_mm", [1.0, 4.0])
def test_range_bounds_the_root_mean_square_displacement(head: Grid, large_mm: float) -> None:
    deformation = draw_deformation(np.random.default_rng(3), range_mm=(large_mm, large_mm))
    shift = np.stack([field.on(head) for field in deformation.large])
    assert np.sqrt(np.square(shift).sum(axis=0).mean()) == pytest.approx(large_mm, rel=0.25)


@pytest.mark.parametrize("seed", range(4))
def test_default_deformations_hardly_ever_fold(head: Grid, seed: int) -> None:
    deformation = draw_deformation(np.random.default_rng(seed), range_mm=(4.5, 4.5))
    ratio = _volume_ratio(deformation.pull_back(head, template=load_template()), head)
    assert (ratio <= 0).mean() < 1e-3
    assert 0.8 < np.median(ratio) < 2.0


def test_mass_effect_comes_from_nearer_the_centre_and_fades(head: Grid) -> None:
    centre = (20.0, -10.0, 30.0)
    push = MassEffect(centre, reach_mm=20.0, strength=0.5)
    offsets = np.stack(np.broadcast_arrays(*head.offsets(centre)))
    distance = np.linalg.norm(offsets, axis=0)
    before = np.linalg.norm(offsets + push.shift(head), axis=0)
    assert (before <= distance + 1e-4).all()
    shift = distance - before
    ring = (distance > 12) & (distance < 16)
    np.testing.assert_allclose(shift[ring].mean(), 0.5 * 14 * np.exp(-((14 / 20) ** 2)), rtol=0.05)
    assert shift[distance > 60].max() < 0.01


def test_mass_effect_never_folds(head: Grid) -> None:
    push = MassEffect((0.0, -17.0, 20.0), reach_mm=25.0, strength=0.9)
    points = np.stack(np.broadcast_arrays(*head.offsets((0.0, 0.0, 0.0)))) + push.shift(head)
    assert _volume_ratio(points, head).min() > 0


def test_skull_holds_the_surface(head: Grid) -> None:
    deformation = draw_deformation(np.random.default_rng(0), range_mm=(2.0, 2.0))
    template = load_template()
    push = MassEffect((20.0, -10.0, 45.0), reach_mm=25.0, strength=0.5)
    plain = deformation.pull_back(head, template=template)
    pushed = deformation.pull_back(head, template=template, mass_effect=push)
    moved = np.linalg.norm(pushed - plain, axis=0)
    depth = template.depth_mm(plain)
    assert moved[depth < -2].max() < 0.5
    assert moved[depth > 14].max() > 3
