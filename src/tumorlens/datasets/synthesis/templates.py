"""The average brain every virtual patient is made from: MNI152 maps out of nilearn's wheel, no network.

The 1 mm T1, grey- and white-matter maps are the symmetric ICBM152 2009a templates (Fonov et al. 2011,
doi:10.1016/j.neuroimage.2010.07.033), skull-stripped. Two distance maps are worked out from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from nilearn import datasets
from scipy import ndimage

from tumorlens.datasets.synthesis.grid import Field

__all__ = ["TEMPLATE_LICENCE", "TEMPLATE_SOURCE", "Template", "load_template"]

TEMPLATE_SOURCE = (
    "MNI152 (ICBM 2009a nonlinear symmetric) T1, grey- and white-matter maps at 1 mm, as carried by nilearn"
)

TEMPLATE_LICENCE = (
    "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, "
    "McGill University. Permission to use, copy, modify, and distribute this software and its documentation for any "
    "purpose and without fee is hereby granted, provided that the above copyright notice appear in all copies."
)

_COARSE_MM = 2
_DARK = 0.55
_VENTRICLE_DEPTH_MM = 16.0
_SEED_MM = ((14, 24), (-30, -6), (-20, 20))


@dataclass(frozen=True)
class Template:
    """Maps of the average head, each ``(z, y, x)`` float32 with all axes rising.

    Attributes:
        t1: T1 signal in 0..1 (white matter about 0.87, grey matter 0.65, fluid below 0.4), 0 outside the brain.
        grey: Share of grey matter, 0..1.
        white: Share of white matter, 0..1.
        depth_mm: Distance to the brain's surface, negative outside; every 2 mm.
        ventricle_mm: Distance to the lateral ventricles, 0 inside; every 2 mm.
        origin_mm: Position ``(z, y, x)`` of the first voxel of every map.
    """

    t1: Field
    grey: Field
    white: Field
    depth_mm: Field
    ventricle_mm: Field
    origin_mm: tuple[float, float, float]

    def sample(self, name: str, points_mm: npt.NDArray[np.float32]) -> Field:
        """Read map ``name`` at positions ``(3, z, y, x)`` in millimetres by linear interpolation."""
        values: Field = getattr(self, name)
        step = _COARSE_MM if name.endswith("_mm") else 1
        origin = np.asarray(self.origin_mm, np.float32).reshape(3, 1, 1, 1)
        places = (points_mm - origin) / np.float32(step)
        mode = "nearest" if step > 1 else "constant"
        return ndimage.map_coordinates(values, places, output=np.float32, order=1, mode=mode)


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Read the maps (about two seconds, once a process).

    Raises:
        OSError: nilearn's installation lacks the files.
    """
    image = datasets.load_mni152_template(resolution=1)
    t1 = _values(image)
    coarse = t1[::_COARSE_MM, ::_COARSE_MM, ::_COARSE_MM]
    origin = tuple(float(value) for value in image.affine[:3, 3][::-1])
    depth = _signed_depth(ndimage.binary_fill_holes(coarse > 0))
    ventricles = _lateral_ventricles(coarse, depth, origin)
    return Template(
        t1=t1,
        grey=_load_map(datasets.load_mni152_gm_template),
        white=_load_map(datasets.load_mni152_wm_template),
        depth_mm=depth,
        ventricle_mm=(ndimage.distance_transform_edt(~ventricles) * _COARSE_MM).astype(np.float32),
        origin_mm=(origin[0], origin[1], origin[2]),
    )


def _load_map(loader: Callable[..., Any]) -> Field:
    return _values(loader(resolution=1))


def _values(image: Any) -> Field:
    return np.ascontiguousarray(np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0))


def _signed_depth(brain: npt.NDArray[np.bool_]) -> Field:
    padded = np.pad(brain, 1)
    inside = ndimage.distance_transform_edt(padded)
    outside = ndimage.distance_transform_edt(~padded)
    return ((inside - outside)[1:-1, 1:-1, 1:-1] * _COARSE_MM).astype(np.float32)


def _lateral_ventricles(
    t1: Field, depth_mm: Field, origin_mm: tuple[float, ...]
) -> npt.NDArray[np.bool_]:
    """Dark voxels deep in the brain that hang together with the bodies of the lateral ventricles."""
    labels, _ = ndimage.label((t1 < _DARK) & (depth_mm > _VENTRICLE_DEPTH_MM))
    box = tuple(
        slice(int((low - start) / _COARSE_MM), int((high - start) / _COARSE_MM))
        for (low, high), start in zip(_SEED_MM, origin_mm, strict=True)
    )
    found = np.bincount(labels[box].ravel())
    found[0] = 0
    return labels == int(found.argmax())
