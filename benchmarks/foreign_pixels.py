"""Harmonised pixels for ``foreign.py``: what is done to scans so that those of two sources look alike.

Every step takes and gives ``(h, w, 3)`` uint8 in 0..255, works on one scan alone and knows no label. The constants are
round numbers, chosen by looking at a few scans before any figure was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from tumorlens.datasets.measures import grey_image
from tumorlens.types import Pixels

__all__ = ["Landmarks", "even_out", "learn_landmarks", "match_landmarks", "standardise", "strip_skull"]

Landmarks = npt.NDArray[np.float64]
"""``(11,)`` grey levels, ascending: where the percentiles 1, 10, 20, … 90, 99 of the head go."""

_BRIGHT_SHARE, _BRIGHT_PERCENTILE = 0.1, 99.5
_ISLAND_SHARE = 0.05
_LOW, _HIGH = (10.0, 50.0), (90.0, 170.0)  # percentile of the head, and the grey level it is given
_PERCENTILES = (1.0, *range(10, 100, 10), 99.0)
_STANDARD_RANGE = (10.0, 240.0)
_LEAST_SPREAD = 1.0
_STRIP_SIDE = 160
_TISSUE_SHARE = 0.5
_NECK_SHARE = 0.03
_CORE_SHARE = 0.2
_FIELD_SHARE = 0.15  # of the shorter side: standard deviation of the blur that stands for the bias field
_LEAST_FIELD = 4.0

Grey = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def strip_skull(pixels: Pixels) -> Pixels:
    """Black out what hangs on the brain by little: skull, scalp, eyes. Rough, and wrong on some scans.

    Threshold, erosion, the components with most depth below the surface, dilation, holes closed: the classic scheme
    (such as Atkins and Mackiewich, IEEE Trans. Med. Imaging 17 (1998) 98-107) on one slice. A scan without skull stays
    nearly as it is.
    """
    grey = grey_image(pixels)
    factor = max(1, -(-max(grey.size) // _STRIP_SIDE))
    brain = _brain(grey.reduce(factor) if factor > 1 else grey)
    if brain is None:
        return pixels
    kept = np.kron(brain, np.ones((factor, factor), bool))[: pixels.shape[0], : pixels.shape[1]]
    return np.where(kept[:, :, None], pixels, 0).astype(np.uint8)


def standardise(pixels: Pixels) -> Pixels:
    """Grey levels of the head stretched so that its 10th and 90th percentiles are 50 and 170; outside: black.

    Percentiles rather than mean and standard deviation, as a bright tumour moves them less; colour goes.
    """
    grey, head = _grey_and_head(grey_image(pixels))
    if not head.any():
        return _as_pixels(grey)
    low, high = np.percentile(grey[head], [_LOW[0], _HIGH[0]])
    stretch = (_HIGH[1] - _LOW[1]) / max(high - low, _LEAST_SPREAD)
    return _as_pixels(np.where(head, _LOW[1] + (grey - low) * stretch, 0.0))


def even_out(pixels: Pixels) -> Pixels:
    """Divide by a smooth field: the head's grey levels, blurred widely inside the head, scaled to keep their mean.

    Homomorphic filtering, the simplest removal of a bias field (Brinkmann et al., IEEE Trans. Med. Imaging 17 (1998)
    161-171): slow changes that are anatomy go too. Outside the head: black.
    """
    grey, head = _grey_and_head(grey_image(pixels))
    if not head.any():
        return _as_pixels(grey)
    width = _FIELD_SHARE * min(grey.shape)
    inside = ndimage.gaussian_filter(head.astype(np.float64), width)
    field = ndimage.gaussian_filter(np.where(head, grey, 0.0), width) / np.maximum(inside, 1e-6)
    even = np.where(head, grey / np.maximum(field, _LEAST_FIELD), 0.0)
    return _as_pixels(even * grey[head].mean() / max(even[head].mean(), 1e-6))


def learn_landmarks(scans: Iterable[Pixels]) -> Landmarks:
    """Mean landmarks of scans, each first stretched to the standard range by its 1st and 99th percentile.

    The training step of Nyúl and Udupa, "On standardizing the MR image intensity scale", Magn. Reson. Med. 42 (1999)
    1072-1081, with deciles, on slices in the place of volumes.
    """
    found = [_landmarks(*_grey_and_head(grey_image(pixels))) for pixels in scans]
    bottom, top = _STANDARD_RANGE
    stretched = [bottom + (own - own[0]) * (top - bottom) / (own[-1] - own[0]) for own in found if own is not None]
    return np.asarray(np.mean(stretched, axis=0))


def match_landmarks(pixels: Pixels, landmarks: Landmarks) -> Pixels:
    """Grey levels of the head moved so that its percentiles are ``landmarks``, linear in between; outside: black."""
    grey, head = _grey_and_head(grey_image(pixels))
    own = _landmarks(grey, head)
    if own is None:
        return _as_pixels(grey)
    own = own + np.arange(own.size) * 1e-6  # tied percentiles would leave the line without a slope
    moved = np.interp(grey, own, landmarks)
    above = grey > own[-1]
    moved[above] = landmarks[-1] + (grey[above] - own[-1])
    return _as_pixels(np.where(head, moved, 0.0))


def _landmarks(grey: Grey, head: Mask) -> Landmarks | None:
    """The head's own percentiles; ``None`` without a head, or with one of a single grey level."""
    if not head.any():
        return None
    own = np.percentile(grey[head], _PERCENTILES)
    return own if own[-1] - own[0] >= _LEAST_SPREAD else None


def _brain(picture: Image.Image) -> Mask | None:
    grey, head = _grey_and_head(picture)
    if not head.any():
        return None
    neck = max(1, round(_NECK_SHARE * 2.0 * np.sqrt(head.sum() / np.pi)))
    tissue = head & (grey > _TISSUE_SHARE * np.median(grey[head]))
    cores, count = ndimage.label(ndimage.binary_erosion(tissue, _disk(neck)))
    if count == 0:
        return None
    depth = ndimage.distance_transform_edt(head)
    deep = np.concatenate([[0.0], ndimage.sum(depth, cores, np.arange(1, count + 1))])
    core = (deep >= _CORE_SHARE * deep.max())[cores] & (cores > 0)  # the midline may part the hemispheres
    grown = np.pad(ndimage.binary_dilation(core, _disk(neck + 1)), 3 * neck)
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(grown, _disk(2 * neck)))
    return np.asarray(closed[3 * neck : -3 * neck, 3 * neck : -3 * neck] & head)


def _disk(radius: int) -> Mask:
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(rows**2 + columns**2 <= radius**2)


def _grey_and_head(picture: Image.Image) -> tuple[Grey, Mask]:
    """Grey levels, and the largest bright regions with their holes: the rule of ``--crop brain``, pixel by pixel."""
    grey = np.asarray(picture, np.float64)
    bright = grey > int(_BRIGHT_SHARE * np.percentile(grey, _BRIGHT_PERCENTILE))
    regions, count = ndimage.label(ndimage.binary_fill_holes(bright))
    if count == 0:
        return grey, np.zeros(grey.shape, bool)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    return grey, (sizes >= _ISLAND_SHARE * sizes.max())[regions] & (regions > 0)


def _as_pixels(grey: Grey) -> Pixels:
    levels = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)
