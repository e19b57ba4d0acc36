"""A patient's shape: affine, large and small folds, wide ventricles, mass effect.

Every part is a pull-back: it takes positions in the patient and gives positions in the template.
Knows nothing about contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import CENTRE_MM, Field, Grid, Point
from tumorlens.datasets.synthesis.templates import Template

__all__ = ["Deformation", "MassEffect", "Points", "draw_deformation"]

Points = npt.NDArray[np.float32]
"""``(3, z, y, x)`` float32: positions z, y, x in millimetres."""

_LARGE_KNOT_MM = 38.0
_SMALL_KNOT_MM = 13.0
_SMALL_SHARE = 0.3
_VENTRICLES_MM: Point = (14.0, -18.0, 0.0)
_VENTRICLES_REACH_MM = 34.0
_SURFACE_MM = 14.0


@dataclass(frozen=True)
class MassEffect:
    """Tissue pushed away from a point, less the farther it is and hardly at the surface.

    Attributes:
        centre_mm: The point, in the patient.
        reach_mm: Distance over which the push fades; it is strongest at 0.7 of it.
        strength: 0 (none) to below 1 (tissue at the centre is stretched without bound).
    """

    centre_mm: Point
    reach_mm: float
    strength: float

    def shift(self, grid: Grid) -> Points:
        """Way ``(3, z, y, x)`` in mm from a point in the patient to where its tissue lay before."""
        return _radial_shift(grid.offsets(self.centre_mm), self.reach_mm, self.strength)


@dataclass(frozen=True)
class Deformation:
    """A patient's shape.

    Attributes:
        matrix: ``(3, 3)`` float64, patient to template, about ``CENTRE_MM``.
        large: Displacement fields for z, y, x at the scale of lobes.
        small: Displacement fields for z, y, x at the scale of folds.
        ventricles: How much wider the ventricles are, 0 to below 1.
    """

    matrix: npt.NDArray[np.float64]
    large: tuple[SmoothField, SmoothField, SmoothField]
    small: tuple[SmoothField, SmoothField, SmoothField]
    ventricles: float

    def pull_back(self, grid: Grid, *, template: Template, mass_effect: MassEffect | None = None) -> Points:
        """Positions in the template of the tissue at the points of ``grid``."""
        points = self._affine(grid)
        for axis in range(3):
            points[axis] += self.large[axis].on(grid)
            points[axis] += self.small[axis].on(grid)
        widening = _radial_shift(_offsets(points, _VENTRICLES_MM), _VENTRICLES_REACH_MM, self.ventricles)
        points += widening
        if mass_effect is not None:
            _push(points, grid, mass_effect, template)
        return points

    def _affine(self, grid: Grid) -> Points:
        offsets = grid.offsets(CENTRE_MM)
        points = np.empty((3, *grid.shape), np.float32)
        for axis in range(3):
            row = self.matrix[axis].astype(np.float32)
            points[axis] = sum(row[other] * offsets[other] for other in range(3))
            points[axis] += np.float32(CENTRE_MM[axis])
        return points


def draw_deformation(rng: np.random.Generator, *, range_mm: tuple[float, float]) -> Deformation:
    """Draw a patient's shape; ``range_mm`` bounds the RMS displacement of the large folds."""
    large_mm = rng.uniform(*range_mm)
    small_mm = _SMALL_SHARE * large_mm
    return Deformation(
        matrix=_draw_matrix(rng),
        large=_draw_triple(rng, _LARGE_KNOT_MM, large_mm / np.sqrt(3)),
        small=_draw_triple(rng, _SMALL_KNOT_MM, small_mm),
        ventricles=float(rng.beta(1.3, 2.0) * 0.6),
    )


def _draw_triple(
    rng: np.random.Generator, knot_mm: float, amplitude: float
) -> tuple[SmoothField, SmoothField, SmoothField]:
    return (
        draw_field(rng, knot_mm=knot_mm, amplitude=amplitude),
        draw_field(rng, knot_mm=knot_mm, amplitude=amplitude),
        draw_field(rng, knot_mm=knot_mm, amplitude=amplitude),
    )


def _draw_matrix(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    scale = rng.normal(0.915, 0.025) * np.exp(rng.normal(0, 0.02, 3))
    tilt, nod, turn = np.deg2rad(rng.normal(0, (2.0, 4.0, 2.0)))
    shear = np.eye(3) + np.triu(rng.normal(0, 0.015, (3, 3)), 1)
    rotation = _plane_rotation(tilt, 0, 2) @ _plane_rotation(nod, 0, 1) @ _plane_rotation(turn, 1, 2)
    return np.diag(1 / scale) @ shear @ rotation


def _plane_rotation(angle: float, first: int, second: int) -> npt.NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def _push(points: Points, grid: Grid, mass_effect: MassEffect, template: Template) -> None:
    """Add the mass effect to ``points``, where it is felt; the skull holds the surface in place."""
    window = grid.near(mass_effect.centre_mm, radius_mm=3 * mass_effect.reach_mm)
    near = points[:, *window]
    _, depth_mm, _ = template.places.read(near.reshape(3, -1))
    held = np.clip(depth_mm.reshape(near.shape[1:]) / np.float32(_SURFACE_MM), 0, 1)
    near += mass_effect.shift(grid.part(window)) * held


def _offsets(points: Points, centre: Point) -> tuple[Field, Field, Field]:
    z, y, x = (points[axis] - np.float32(centre[axis]) for axis in range(3))
    return z, y, x


def _radial_shift(offsets: tuple[Field, Field, Field], reach_mm: float, strength: float) -> Points:
    z, y, x = offsets
    pull = np.exp((z * z + y * y + x * x) * np.float32(-1 / reach_mm**2)) * np.float32(-strength)
    return np.stack([pull * z, pull * y, pull * x])
