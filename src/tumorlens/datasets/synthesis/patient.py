"""One virtual patient's head and tumour, from nothing but the settings and a number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.anatomy import Anatomy, Tissue, draw_anatomy
from tumorlens.datasets.synthesis.grid import Grid
from tumorlens.datasets.synthesis.settings import SynthesisSettings
from tumorlens.datasets.synthesis.tumor import Tumor, TumorParts, draw_tumor

__all__ = ["Head", "Stream", "draw_head", "patient_name", "random_stream"]


class Stream(IntEnum):
    """Independent sources of randomness; what one consumes does not change what another gives."""

    COHORT = 0
    ANATOMY = 1
    TUMOR = 2
    LOOK = 3
    NOISE = 4
    HEIGHTS = 5


@dataclass(frozen=True)
class Head:
    """A patient's head.

    Attributes:
        anatomy: The head without a tumour.
        tumor: The tumour, if there is one.
    """

    anatomy: Anatomy
    tumor: Tumor | None

    def tissue(self, grid: Grid) -> Tissue:
        """What lies at the points of ``grid``, displaced by the tumour."""
        return self.anatomy.tissue(grid, self.tumor.mass_effect if self.tumor else None)

    def tumor_parts(self, grid: Grid, tissue: Tissue) -> TumorParts | None:
        """The tumour's parts at the points of ``grid``; ``None`` if there is none."""
        if self.tumor is None:
            return None
        return self.tumor.parts(grid, tissue)

    def mask_areas_mm2(self, grid: Grid, *, pixel_mm: float) -> npt.NDArray[np.float64]:
        """Tumour area in each plane of ``grid``, ``(z,)`` float64 in mm²."""
        areas = np.zeros(len(grid.z_mm))
        if self.tumor is None:
            return areas
        near = grid.part(grid.near(self.tumor.centre_mm, radius_mm=self.tumor.reach_mm))
        planes = np.flatnonzero(np.abs(near.z_mm - self.tumor.centre_mm[0]) <= self.tumor.reach_mm)
        if len(planes):
            cut = near.at_heights(near.z_mm[planes])
            for block in cut.blocks():
                part = cut.at_heights(cut.z_mm[block])
                mask = self.tumor.parts(part, self.tissue(part)).mask
                areas[planes[block]] = mask.sum(axis=(1, 2)) * pixel_mm**2
        return areas


def draw_head(settings: SynthesisSettings, index: int, *, has_tumor: bool, attempt: int = 0) -> Head:
    """Draw the head of patient ``index``; another ``attempt`` gives the head another tumour."""
    rng = random_stream(settings, Stream.ANATOMY, index)
    anatomy = draw_anatomy(rng, deformation_mm=settings.deformation_mm)
    if not has_tumor:
        return Head(anatomy, None)
    rng = random_stream(settings, Stream.TUMOR, index, attempt)
    return Head(anatomy, draw_tumor(rng, anatomy=anatomy))


def patient_name(settings: SynthesisSettings, index: int) -> str:
    """Name of patient ``index``: ``patient007``; all names of one set are as long."""
    return f"patient{index:0{max(len(str(settings.patients - 1)), 3)}d}"


def random_stream(settings: SynthesisSettings, stream: Stream, *numbers: int) -> np.random.Generator:
    """The generator for one purpose; depends on the seed, the purpose and ``numbers`` only."""
    sequence = np.random.SeedSequence(settings.seed, spawn_key=(int(stream), *numbers))
    return np.random.Generator(np.random.PCG64(sequence))
