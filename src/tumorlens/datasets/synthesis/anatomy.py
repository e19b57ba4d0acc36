"""One virtual head: which tissue lies where. Knows nothing about grey levels and tumours' looks."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.deformation import (
    Deformation,
    MassEffect,
    Points,
    draw_deformation,
)
from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import Field, Grid
from tumorlens.datasets.synthesis.templates import load_template

__all__ = ["Anatomy", "Tissue", "draw_anatomy", "smoothstep"]

_FLUID_WIDTH = 0.13
_SOLID_BONUS = 0.25
_RIM_MM = 4.0
_SULCUS_KNOT_MM = 11.0


@dataclass(frozen=True)
class Tissue:
    """What lies at the points of a grid; every map ``(z, y, x)`` float32.

    Attributes:
        brain: Share inside the skull-stripped brain, 0..1.
        fluid: Share of cerebrospinal fluid, 0..1.
        white: Share of white matter within the rest, 0..1 (grey matter is what remains).
        tracts: Smoothed share of white matter, 0..1: where oedema spreads easily.
        t1: The template's T1 signal, 0..1: fine structure the shares do not hold.
        depth_mm: Distance to the brain's surface, negative outside.
        ventricle_mm: Distance to the lateral ventricles.
    """

    brain: Field
    fluid: Field
    white: Field
    tracts: Field
    t1: Field
    depth_mm: Field
    ventricle_mm: Field

    def part(self, window: tuple[slice, slice, slice]) -> Tissue:
        """The same in a part of the grid."""
        return Tissue(*(getattr(self, field.name)[window] for field in fields(self)))


@dataclass(frozen=True)
class Anatomy:
    """A patient's head.

    Attributes:
        deformation: Its shape.
        sulci: Variation over the head of ``sulci_level``: wide and narrow sulci.
        sulci_level: T1 signal below which tissue counts as fluid.
        stripping: Variation over the head of ``stripping_mm``.
        stripping_mm: How much too deep the skull stripping cut; negative where too little.
    """

    deformation: Deformation
    sulci: SmoothField
    sulci_level: float
    stripping: SmoothField
    stripping_mm: float

    def locate(self, grid: Grid, mass_effect: MassEffect | None = None) -> Points:
        """Positions in the template of the tissue at the points of ``grid``."""
        return self.deformation.pull_back(grid, template=load_template(), mass_effect=mass_effect)

    def tissue(self, grid: Grid, mass_effect: MassEffect | None = None) -> Tissue:
        """What lies at the points of ``grid``, tissue displaced by ``mass_effect``."""
        template = load_template()
        points = self.locate(grid, mass_effect)
        inside = template.depth_mm(points) > -_RIM_MM
        chosen = points[:, inside]
        t1, grey, white = template.tissue.read(chosen)
        tracts, depth, ventricle = template.places.read(chosen)
        sulci = self.sulci.on(grid)[inside] + np.float32(self.sulci_level)
        stripped = self.stripping.on(grid)[inside] + np.float32(self.stripping_mm)
        solid = t1 + np.float32(_SOLID_BONUS) * (white + grey - np.float32(0.75))
        white_share = white / (white + grey + np.float32(1e-3))
        return Tissue(
            brain=_fill(inside, np.clip(depth - stripped + np.float32(0.5), 0, 1)),
            fluid=_fill(inside, smoothstep((sulci - solid) * np.float32(1 / _FLUID_WIDTH) + np.float32(0.5))),
            white=_fill(
                inside,
                smoothstep((white_share - np.float32(0.5)) * np.float32(1.3) + np.float32(0.5)),
            ),
            tracts=_fill(inside, tracts),
            t1=_fill(inside, t1),
            depth_mm=_fill(inside, depth, outside=-_RIM_MM),
            ventricle_mm=_fill(inside, ventricle),
        )


def draw_anatomy(rng: np.random.Generator, *, deformation_mm: tuple[float, float]) -> Anatomy:
    """Draw a patient's head."""
    return Anatomy(
        deformation=draw_deformation(rng, range_mm=deformation_mm),
        sulci=draw_field(rng, knot_mm=_SULCUS_KNOT_MM, amplitude=0.05),
        sulci_level=float(rng.uniform(0.5, 0.61)),
        stripping=draw_field(rng, knot_mm=9.0, amplitude=0.9),
        stripping_mm=float(rng.uniform(-1.0, 1.5)),
    )


def _fill(inside: npt.NDArray[np.bool_], values: Field, *, outside: float = 0.0) -> Field:
    """Lay values read within and around the brain into the whole grid; half of it is air."""
    whole = np.full(inside.shape, outside, np.float32)
    whole[inside] = values
    return whole


def smoothstep(values: Field) -> Field:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    clipped = np.clip(values, 0, 1).astype(np.float32, copy=False)
    return clipped * clipped * (np.float32(3) - np.float32(2) * clipped)
