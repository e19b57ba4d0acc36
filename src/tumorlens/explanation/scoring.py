"""How well a map finds a marked region: the pointing game, the energy inside, and the overlap at the best threshold.

The pointing game asks whether the strongest place of a map lies in the region (Zhang et al., "Top-down neural attention
by excitation backprop", IJCV 126 (2018) 1084-1102; here the centre of the strongest cell, without tolerance); the
energy is the share of positive evidence inside (Wang et al., "Score-CAM", CVPR Workshops 2020). Regions say how
much of each cell is marked, so boxes and masks are scored alike. Knows nothing about how a map was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.explanation.regions import Region

__all__ = ["Overlap", "best_overlap", "energy_inside", "points_inside"]


@dataclass(frozen=True)
class Overlap:
    """How far a map cut at a threshold and a region cover each other.

    Attributes:
        iou: Intersection over union, 0..1.
        threshold: Cells with at least this evidence were taken.
    """

    iou: float
    threshold: float


def points_inside(evidence: npt.NDArray[np.floating], region: Region) -> bool:
    """Whether the centre of the strongest cell is marked; the first of them when tied.

    Raises:
        InputError: Map and region have different grids.
    """
    _check(evidence, region)
    return bool(region.holds_centre.ravel()[int(np.argmax(evidence))])


def energy_inside(evidence: npt.NDArray[np.floating], region: Region) -> float | None:
    """Share of the positive evidence that lies in the region, 0..1; ``None`` where there is none.

    Raises:
        InputError: Map and region have different grids.
    """
    _check(evidence, region)
    positive = np.clip(evidence.astype(np.float64), 0.0, None)
    total = float(positive.sum())
    return float((positive * region.covered).sum()) / total if total > 0 else None


def best_overlap(evidence: npt.NDArray[np.floating], region: Region) -> Overlap:
    """Intersection over union of the region and the strongest cells, at the threshold that makes it largest.

    The threshold is chosen with the region in view, for each map among its own values; so the figure is an upper bound
    of what any rule for thresholds could reach with this map, and no estimate of what a user would see. The marked
    share of a cell counts as its area, so a coarse grid lowers it.

    Raises:
        InputError: Map and region have different grids.
    """
    _check(evidence, region)
    order = np.argsort(-evidence.ravel(), kind="stable")
    values, covered = evidence.ravel()[order], region.covered.ravel()[order]
    inside, taken = np.cumsum(covered), np.arange(1, len(values) + 1)
    iou = inside / (taken + covered.sum() - inside)
    iou[:-1][values[:-1] == values[1:]] = -1.0  # equal cells are taken together
    best = int(np.argmax(iou))
    return Overlap(float(iou[best]), float(values[best]))


def _check(evidence: npt.NDArray[np.floating], region: Region) -> None:
    if evidence.shape != region.covered.shape:
        raise InputError(f"A map of {evidence.shape} cells cannot be scored on a region of {region.covered.shape}.")
