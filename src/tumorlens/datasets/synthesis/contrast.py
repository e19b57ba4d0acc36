"""Grey levels of a FLAIR-like scan, drawn per patient in the manner of SynthSeg.

Billot et al. 2023, doi:10.1016/j.media.2023.102789: contrasts are drawn at random within what the
sequence allows, here dark fluid, grey matter as bright as white matter or brighter, and lesions
from barely to far brighter than both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorlens.datasets.synthesis.anatomy import Tissue, smoothstep
from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import Field, Grid
from tumorlens.datasets.synthesis.lesions import WhiteMatterLesions
from tumorlens.datasets.synthesis.tumor import TumorParts

__all__ = ["Contrast", "draw_contrast"]

_WHITE_T1 = 0.87
_SUBTLE_SHARE = 0.08
_RESIDUE_LEVEL = 1.3
_RESIDUE_MM = 1.5


@dataclass(frozen=True)
class Contrast:
    """A patient's signal levels; white matter is 1.

    Attributes:
        grey: Signal of grey matter.
        fluid: Signal of cerebrospinal fluid.
        fine: How much of the template's fine T1 structure shows, with the sign reversed.
        lesion: Signal of white-matter lesions.
        oedema: Signal of oedema.
        core: Mean signal of the tumour's solid part.
        necrosis: Signal of its necrosis.
        mottle: Variation of the core, relative to its signal.
        dura: Signal of dura.
        residue: Where skull stripping left dura.
        coarse: Regional variation of tissue signal.
        grain: Fine variation of tissue signal.
        knots: Variation within the core.
    """

    grey: float
    fluid: float
    fine: float
    lesion: float
    oedema: float
    core: float
    necrosis: float
    mottle: float
    dura: float
    residue: SmoothField
    coarse: SmoothField
    grain: SmoothField
    knots: SmoothField

    def signal(self, grid: Grid, tissue: Tissue, *, lesions: WhiteMatterLesions, tumor: TumorParts | None) -> Field:
        """Noise-free signal at the points of ``grid``; 1 is white matter, 0 is air."""
        solid = np.float32(self.grey) + np.float32(1 - self.grey) * tissue.white
        solid -= np.float32(self.fine) * (tissue.t1 - np.float32(_WHITE_T1)) * tissue.white
        solid *= 1 + self.coarse.on(grid) + self.grain.on(grid)
        solid = _mix(solid, np.float32(self.lesion), lesions.on(grid, tissue))
        values = _mix(solid, np.float32(self.fluid), tissue.fluid)
        values = _mix(values, np.float32(self.dura), self._residue(grid, tissue))
        if tumor is not None:
            values = self._with_tumor(values, grid, tumor)
        return np.maximum(values, 0) * tissue.brain

    def _residue(self, grid: Grid, tissue: Tissue) -> Field:
        """Share of dura that the skull stripping left at the surface."""
        left = smoothstep(self.residue.on(grid) - np.float32(_RESIDUE_LEVEL))
        return left * np.clip(np.float32(_RESIDUE_MM) - tissue.depth_mm, 0, 1)

    def _with_tumor(self, values: Field, grid: Grid, tumor: TumorParts) -> Field:
        knots = self.knots.on(grid)
        values = _mix(values, np.float32(self.oedema) * (1 + np.float32(0.06) * knots), tumor.oedema)
        core = np.float32(self.core) * (1 + np.float32(self.mottle) * knots)
        values = _mix(values, core, tumor.core)
        return _mix(values, np.float32(self.necrosis), tumor.necrosis)


def draw_contrast(rng: np.random.Generator) -> Contrast:
    """Draw a patient's signal levels."""
    grey = float(rng.uniform(1.04, 1.25))
    fluid = float(rng.uniform(0.06, 0.28))
    conspicuity = _draw_conspicuity(rng)
    oedema = grey * (1 + conspicuity)
    return Contrast(
        grey=grey,
        fluid=fluid,
        fine=float(rng.uniform(0.2, 1.2)),
        lesion=grey * float(rng.uniform(1.08, 1.4)),
        oedema=oedema,
        core=grey * (1 + conspicuity * float(rng.uniform(0.4, 1.2))),
        necrosis=fluid + (grey - fluid) * float(rng.uniform(0.0, 0.9)),
        mottle=float(rng.uniform(0.03, 0.14)),
        dura=grey * float(rng.uniform(0.7, 1.3)),
        residue=draw_field(rng, knot_mm=12.0),
        coarse=draw_field(rng, knot_mm=18.0, amplitude=float(rng.uniform(0.02, 0.05))),
        grain=draw_field(rng, knot_mm=3.5, amplitude=float(rng.uniform(0.015, 0.045))),
        knots=draw_field(rng, knot_mm=5.0),
    )


def _draw_conspicuity(rng: np.random.Generator) -> float:
    """By how much oedema outshines grey matter: hardly in a few patients, clearly in most."""
    if rng.random() < _SUBTLE_SHARE:
        return float(rng.uniform(0.1, 0.3))
    return float(0.45 + 0.75 * rng.beta(1.8, 1.4))


def _mix(below: Field, above: Field | np.float32, share: Field) -> Field:
    return below + (above - below) * share
