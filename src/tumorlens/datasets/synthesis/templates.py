"""The average brain every virtual patient is made from: maps out of nilearn's wheel, no network.

The 1 mm T1, grey- and white-matter maps are the symmetric ICBM152 2009a templates (Fonov et al.
2011, doi:10.1016/j.neuroimage.2010.07.033), skull-stripped. Distance maps are worked out from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from nilearn import datasets
from scipy import ndimage

from tumorlens.datasets.synthesis.grid import Field, Point
from tumorlens.datasets.synthesis.volume import Volume

__all__ = ["TEMPLATE_LICENCE", "TEMPLATE_SOURCE", "Template", "load_template"]

TEMPLATE_SOURCE = (
    "MNI152 (ICBM 2009a nonlinear symmetric) T1, grey- and white-matter maps at 1 mm, as carried by nilearn"
)

TEMPLATE_LICENCE = (
    "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological "
    "Institute, McGill University. Permission to use, copy, modify, and distribute this software "
    "and its documentation for any purpose and without fee is hereby granted, provided that the "
    "above copyright notice appear in all copies."
)

_COARSE_MM = 2
_DARK_T1 = 0.55
_VENTRICLE_DEPTH_MM = 16.0
_TRACT_BLUR_MM = 3.0
_SEED_MM = ((14, 24), (-30, -6), (-20, 20))


@dataclass(frozen=True)
class Template:
    """Maps of the average head.

    Attributes:
        tissue: Every 1 mm: T1 signal in 0..1 (white matter about 0.87, grey matter 0.65, fluid
            below 0.4, 0 outside the brain); share of grey matter; share of white matter.
        places: Every 2 mm: smoothed share of white matter; distance to the brain's surface in mm,
            negative outside; distance to the lateral ventricles in mm, 0 inside.
    """

    tissue: Volume
    places: Volume

    def depth_mm(self, points_mm: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Distance to the brain's surface at the voxels nearest to positions ``(3, ...)``."""
        return self.places.read_nearest(points_mm, channel=1)


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Read the maps (about two seconds, once a process)."""
    image = datasets.load_mni152_template(resolution=1)
    z, y, x = (float(value) for value in image.affine[:3, 3][::-1])
    origin: Point = (z, y, x)
    t1 = _values(image)
    grey = _values(datasets.load_mni152_gm_template(resolution=1))
    white = _values(datasets.load_mni152_wm_template(resolution=1))
    return Template(
        tissue=Volume(np.stack([t1, grey, white], axis=-1), 1.0, origin),
        places=Volume(_work_out_places(t1, white, origin), _COARSE_MM, origin),
    )


def _values(image: Any) -> Field:
    return np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0)


def _work_out_places(t1: Field, white: Field, origin_mm: Point) -> npt.NDArray[np.float32]:
    coarse, tracts = (values[::_COARSE_MM, ::_COARSE_MM, ::_COARSE_MM] for values in (t1, white))
    depth_mm = _signed_depth_mm(ndimage.binary_fill_holes(coarse > 0))
    ventricles = _lateral_ventricles(coarse, depth_mm, origin_mm)
    ventricle_mm = ndimage.distance_transform_edt(~ventricles) * _COARSE_MM
    tracts = ndimage.gaussian_filter(tracts, _TRACT_BLUR_MM / _COARSE_MM, truncate=3)
    return np.stack([tracts, depth_mm, ventricle_mm], axis=-1, dtype=np.float32, casting="same_kind")


def _signed_depth_mm(brain: npt.NDArray[np.bool_]) -> Field:
    padded = np.pad(brain, 1)
    inside = ndimage.distance_transform_edt(padded)
    outside = ndimage.distance_transform_edt(~padded)
    return ((inside - outside)[1:-1, 1:-1, 1:-1] * _COARSE_MM).astype(np.float32)


def _lateral_ventricles(t1: Field, depth_mm: Field, origin_mm: Point) -> npt.NDArray[np.bool_]:
    """Dark voxels deep in the brain that hang together with the lateral ventricles' bodies."""
    labels, _ = ndimage.label((t1 < _DARK_T1) & (depth_mm > _VENTRICLE_DEPTH_MM))
    box = tuple(
        slice(int((low - start) / _COARSE_MM), int((high - start) / _COARSE_MM))
        for (low, high), start in zip(_SEED_MM, origin_mm, strict=True)
    )
    found = np.bincount(labels[box].ravel())
    found[0] = 0
    return labels == int(found.argmax())
