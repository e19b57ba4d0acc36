"""Ways to make scans of two sources look alike that ``foreign.py`` tries beside those of the product.

Every step takes and gives ``(h, w, 3)`` uint8 in 0..255, works on one scan alone and knows no label. The constants are
round numbers, chosen by looking at a few scans before any figure was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tumorlens.datasets.measures import grey_image
from tumorlens.scans.harmonising import find_head
from tumorlens.types import Pixels

__all__ = ["Landmarks", "even_out", "learn_landmarks", "match_landmarks"]

Landmarks = npt.NDArray[np.float64]
"""``(11,)`` grey levels, ascending: where the percentiles 1, 10, 20, … 90, 99 of the head go."""

_PERCENTILES = (1.0, *range(10, 100, 10), 99.0)
_STANDARD_RANGE = (10.0, 240.0)
_LEAST_SPREAD = 1.0
_FIELD_SHARE = 0.15  # of the shorter side: standard deviation of the blur that stands for the bias field
_LEAST_FIELD = 4.0

Grey = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def even_out(pixels: Pixels) -> Pixels:
    """Divide by a smooth field: the head's grey levels, blurred widely inside the head, scaled to keep their mean.

    Homomorphic filtering, the simplest removal of a bias field (Brinkmann et al., IEEE Trans. Med. Imaging 17 (1998)
    161-171): slow changes that are anatomy go too. Outside the head: black.
    """
    grey, head = _grey_and_head(pixels)
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
    found = [_landmarks(*_grey_and_head(pixels)) for pixels in scans]
    bottom, top = _STANDARD_RANGE
    stretched = [bottom + (own - own[0]) * (top - bottom) / (own[-1] - own[0]) for own in found if own is not None]
    return np.asarray(np.mean(stretched, axis=0))


def match_landmarks(pixels: Pixels, landmarks: Landmarks) -> Pixels:
    """Grey levels of the head moved so that its percentiles are ``landmarks``, linear in between; outside: black."""
    grey, head = _grey_and_head(pixels)
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


def _grey_and_head(pixels: Pixels) -> tuple[Grey, Mask]:
    grey = np.asarray(grey_image(pixels))
    return grey.astype(np.float64), find_head(grey)


def _as_pixels(grey: Grey) -> Pixels:
    levels = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)
