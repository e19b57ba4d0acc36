"""Bright spots that are no tumours: small white-matter lesions and caps along the ventricles.

Both occur with age in heads with and without tumour (Fazekas et al. 1987,
doi:10.2214/ajr.149.2.351). They make brightness alone a poor sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.anatomy import Tissue, smoothstep
from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import CENTRE_MM, HALF_HEAD_MM, Field, Grid

__all__ = ["WhiteMatterLesions", "draw_lesions"]


@dataclass(frozen=True)
class WhiteMatterLesions:
    """A patient's white-matter lesions.

    Attributes:
        centres_mm: ``(n, 3)`` float64, centres z, y, x of the small ones.
        radii_mm: ``(n,)`` float64, their radii.
        caps_mm: How far the caps reach from the ventricles.
        caps: Where along the ventricles they lie.
        patches: Where confluent patches in deep white matter lie: above ``patch_level``.
        patch_level: In standard deviations; high means none.
    """

    centres_mm: npt.NDArray[np.float64]
    radii_mm: npt.NDArray[np.float64]
    caps_mm: float
    caps: SmoothField
    patches: SmoothField
    patch_level: float

    def on(self, grid: Grid, tissue: Tissue) -> Field:
        """Share of lesion at the points of ``grid``, 0..1."""
        rim = np.exp(-tissue.ventricle_mm / np.float32(self.caps_mm))
        share = rim * np.clip(np.float32(0.45) + np.float32(0.5) * self.caps.on(grid), 0, 1)
        deep = smoothstep((tissue.depth_mm - np.float32(8)) / np.float32(6))
        patches = smoothstep((self.patches.on(grid) - np.float32(self.patch_level)) * np.float32(1.2))
        share = np.maximum(share, np.float32(0.6) * patches * tissue.tracts * deep)
        for centre, radius in zip(self.centres_mm, self.radii_mm, strict=True):
            window = grid.near((centre[0], centre[1], centre[2]), radius_mm=3 * radius)
            z, y, x = grid.part(window).offsets((centre[0], centre[1], centre[2]))
            blob = np.exp((z * z + y * y + x * x) * np.float32(-1 / radius**2))
            share[window] = np.maximum(share[window], blob)
        return share * tissue.white * (1 - tissue.fluid)


def draw_lesions(rng: np.random.Generator) -> WhiteMatterLesions:
    """Draw a patient's white-matter lesions: none to many, by a hidden age."""
    age = float(rng.beta(1.2, 1.6))
    count = int(rng.poisson(35 * age**2))
    spread = np.array(HALF_HEAD_MM) * (0.5, 0.6, 0.55)
    return WhiteMatterLesions(
        centres_mm=np.array(CENTRE_MM) + (12, 0, 0) + rng.uniform(-1, 1, (count, 3)) * spread,
        radii_mm=np.clip(rng.lognormal(np.log(2.0), 0.4, count), 1.0, 4.0),
        caps_mm=1.2 + 4.5 * age**2,
        caps=draw_field(rng, knot_mm=14.0),
        patches=draw_field(rng, knot_mm=10.0),
        patch_level=float(rng.uniform(0.9, 1.8)) if rng.random() < 0.35 * age else 9.0,
    )
