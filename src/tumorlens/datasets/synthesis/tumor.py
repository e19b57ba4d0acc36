"""A tumour: irregular core, sometimes necrotic inside, and oedema that runs along white matter.

Knows where it is and how much of each part lies at a point; its grey levels are in ``contrast``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.anatomy import Anatomy, Tissue, smoothstep
from tumorlens.datasets.synthesis.deformation import MassEffect
from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import CENTRE_MM, HALF_HEAD_MM, Field, Grid, Point

__all__ = ["HEIGHTS_MM", "Tumor", "TumorParts", "draw_tumor"]

HEIGHTS_MM = (-42.0, 58.0)
"""Lowest and highest centre of a tumour, in the patient."""

_SITES = 25
_MARGIN_MM = 2.0
_NOISE_LIMIT = 1.6


@dataclass(frozen=True)
class TumorParts:
    """Shares of the tumour's parts at the points of a grid, each ``(z, y, x)`` float32 in 0..1.

    Attributes:
        core: Solid part and necrosis.
        necrosis: The part of the core that is dead or cystic.
        oedema: Swollen tissue around the core.
    """

    core: Field
    necrosis: Field
    oedema: Field

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Where core and oedema together make up more than half."""
        return np.maximum(self.core, self.oedema) > 0.5


@dataclass(frozen=True)
class Tumor:
    """One tumour.

    Attributes:
        centre_mm: Its centre in the patient.
        radius_mm: Mean radius of the core.
        axes: ``(3, 3)`` float32, from millimetres about the centre to a frame in which the core is
            a unit ball.
        lobes: Deviation of the core from an ellipsoid, coarse.
        rough: The same, fine.
        oedema_mm: How far oedema reaches into white matter.
        tongues: Relative variation of that reach.
        necrosis: Share of the core's radius that is necrotic, 0 for none.
        edge_mm: Width over which parts fade into each other.
        push: Strength of the mass effect, 0 to below 1.
    """

    centre_mm: Point
    radius_mm: float
    axes: npt.NDArray[np.float32]
    lobes: SmoothField
    rough: SmoothField
    oedema_mm: float
    tongues: SmoothField
    necrosis: float
    edge_mm: float
    push: float

    @property
    def reach_mm(self) -> float:
        """No part of the tumour is farther from its centre."""
        return _reach_mm(self.radius_mm, self.oedema_mm)

    @property
    def mass_effect(self) -> MassEffect:
        """How it displaces the tissue around it."""
        return MassEffect(self.centre_mm, 1.7 * self.radius_mm + 4, self.push)

    def parts(self, grid: Grid, tissue: Tissue) -> TumorParts:
        """Shares of core, necrosis and oedema at the points of ``grid``, where ``tissue`` lies."""
        z, y, x = grid.offsets(self.centre_mm)
        ball = np.zeros(grid.shape, np.float32)
        for row in self.axes:
            ball += np.square(row[0] * z + row[1] * y + row[2] * x)
        lobes = np.clip(self.lobes.on(grid), -_NOISE_LIMIT, _NOISE_LIMIT)
        rough = np.clip(self.rough.on(grid), -_NOISE_LIMIT, _NOISE_LIMIT)
        place = np.sqrt(ball) + np.float32(0.22) * lobes + np.float32(0.1) * rough
        outside_mm = (place - np.float32(1)) * np.float32(self.radius_mm)
        within = np.clip((np.float32(self.reach_mm) - np.sqrt(z * z + y * y + x * x)) / 2, 0, 1)
        within = within * tissue.brain * (1 - tissue.fluid * (tissue.ventricle_mm < 6))
        soft = np.float32(1 / self.edge_mm)
        core = within * smoothstep(np.float32(0.5) - outside_mm * soft)
        return TumorParts(
            core,
            core * self._necrosis(place, rough, soft),
            self._oedema(grid, tissue, outside_mm, within),
        )

    def _necrosis(self, place: Field, rough: Field, soft: np.float32) -> Field:
        if self.necrosis == 0:
            return np.zeros_like(place)
        inside = np.float32(self.necrosis) - place + np.float32(0.12) * rough
        return smoothstep(inside * np.float32(self.radius_mm) * soft + np.float32(0.5))

    def _oedema(self, grid: Grid, tissue: Tissue, outside_mm: Field, within: Field) -> Field:
        tongues = np.clip(self.tongues.on(grid), -_NOISE_LIMIT, _NOISE_LIMIT)
        reach = (
            self.oedema_mm
            * (np.float32(0.1) + np.float32(1.25) * np.square(tissue.tracts))
            * (1 + np.float32(0.45) * tongues)
        )
        soft = np.float32(0.5 / self.edge_mm)
        spread = smoothstep((reach - outside_mm) * soft) if self.oedema_mm > 0 else np.zeros_like(reach)
        return within * spread * (1 - tissue.fluid)


def draw_tumor(rng: np.random.Generator, *, anatomy: Anatomy) -> Tumor:
    """Draw a tumour for ``anatomy``: from small to large with wide oedema, at any height."""
    radius = float(np.clip(rng.lognormal(np.log(21), 0.3), 10, 34))
    centre = _draw_centre(rng, anatomy=anatomy, radius_mm=radius)
    oedema = float(rng.uniform(6, 32)) if rng.random() < 0.8 else 0.0
    stretch = np.exp(rng.normal(0, 0.16, 3))
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    axes = (np.diag(1 / (stretch * radius)) @ turn).astype(np.float32)
    half = _reach_mm(radius, oedema) + _MARGIN_MM
    box: Point = (half, half, half)
    return Tumor(
        centre_mm=centre,
        radius_mm=radius,
        axes=axes,
        lobes=draw_field(rng, knot_mm=0.8 * radius, centre_mm=centre, half_mm=box),
        rough=draw_field(rng, knot_mm=max(0.25 * radius, 2.5), centre_mm=centre, half_mm=box),
        oedema_mm=oedema,
        tongues=draw_field(rng, knot_mm=8.0, centre_mm=centre, half_mm=box),
        necrosis=float(rng.uniform(0.35, 0.8)) if radius > 9 and rng.random() < 0.5 else 0.0,
        edge_mm=float(rng.uniform(1.5, 4.5)),
        push=float(rng.uniform(0.15, 0.55)),
    )


def _reach_mm(radius_mm: float, oedema_mm: float) -> float:
    return 1.9 * radius_mm + 1.8 * oedema_mm


def _draw_centre(rng: np.random.Generator, *, anatomy: Anatomy, radius_mm: float) -> Point:
    """Draw a height, all as likely as each other, then a place inside the brain at it."""
    height = float(rng.uniform(*HEIGHTS_MM))
    y, x = ((CENTRE_MM[axis] + rng.uniform(-1, 1, _SITES) * HALF_HEAD_MM[axis]).astype(np.float32) for axis in (1, 2))
    grid = Grid(np.array([height], np.float32), y, x)
    tissue = anatomy.tissue(grid)
    wanted_mm = min(0.6 * radius_mm, 10.0)
    badness = np.maximum(wanted_mm - tissue.depth_mm, 0) + 20 * tissue.fluid
    badness += np.maximum(wanted_mm - tissue.ventricle_mm, 0) + rng.uniform(0, 3, grid.shape)
    _, row, column = np.unravel_index(int(badness.argmin()), grid.shape)
    return height, float(grid.y_mm[row]), float(grid.x_mm[column])
