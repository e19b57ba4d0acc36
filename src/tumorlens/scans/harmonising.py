"""Makes scans of different scanners and sources look more alike: skull stripped, grey levels standardised.

Works on one scan alone and knows no label. The constants are round numbers, chosen by looking at a few scans before any
accuracy was seen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from tumorlens.types import Pixels

__all__ = ["find_head", "standardise_levels", "strip_skull"]

_BRIGHT_SHARE, _BRIGHT_PERCENTILE = 0.1, 99.5
_ISLAND_SHARE = 0.05
_LOW, _HIGH = (10.0, 50.0), (90.0, 170.0)  # percentile of the head, and the grey level it is given
_LEAST_SPREAD = 1.0
_STRIP_SIDE = 160
_TISSUE_SHARE = 0.5
_NECK_SHARE = 0.03
_CORE_SHARE = 0.2

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def strip_skull(pixels: Pixels) -> tuple[Pixels, str]:
    """Black out what hangs on the brain by little: skull, scalp, eyes. Rough, and wrong on some scans.

    Threshold, erosion, the components with most depth below the surface, dilation, holes closed: the classic scheme
    (such as Atkins and Mackiewich, IEEE Trans. Med. Imaging 17 (1998) 98-107) on one slice, found on a reduced copy of
    large scans. A scan without skull stays nearly as it is.

    Args:
        pixels: ``(h, w, 3)`` uint8 in 0..255, a head on a dark background.

    Returns:
        The scan, and the step for the receipt: ``"skull=stripped, 21034 pixels kept"`` or, where no brain is found and
        all is left as it is, ``"skull=kept (no brain found)"``.
    """
    picture = Image.fromarray(pixels).convert("L")
    factor = max(1, -(-max(picture.size) // _STRIP_SIDE))
    brain = _brain(np.asarray(picture.reduce(factor) if factor > 1 else picture))
    if brain is None:
        return pixels, "skull=kept (no brain found)"
    kept = np.repeat(np.repeat(brain, factor, axis=0), factor, axis=1)[: pixels.shape[0], : pixels.shape[1]]
    return np.where(kept[:, :, None], pixels, np.uint8(0)), f"skull=stripped, {int(kept.sum())} pixels kept"


def standardise_levels(pixels: Pixels) -> tuple[Pixels, str]:
    """Stretch grey levels so that the head's 10th and 90th percentiles are 50 and 170; outside the head: black.

    Percentiles rather than mean and standard deviation, as a bright tumour moves them less; colour goes.

    Args:
        pixels: ``(h, w, 3)`` uint8 in 0..255.

    Returns:
        The scan, grey, and the step for the receipt: ``"levels=21..143 to 50..170"`` or ``"levels=kept (no head
        found)"``, where a scan is only made grey.
    """
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    head = find_head(grey)
    if not head.any():
        return _as_pixels(grey), "levels=kept (no head found)"
    low, high = np.percentile(grey[head], [_LOW[0], _HIGH[0]])
    stretch = (_HIGH[1] - _LOW[1]) / max(high - low, _LEAST_SPREAD)
    levels = np.clip(np.rint(_LOW[1] + (np.arange(256) - low) * stretch), 0, 255).astype(np.uint8)
    step = f"levels={low:.0f}..{high:.0f} to {_LOW[1]:.0f}..{_HIGH[1]:.0f}"
    return _as_pixels(np.where(head, levels[grey], np.uint8(0))), step


def find_head(grey: Grey) -> Mask:
    """The largest regions above 10 % of the 99.5th percentile with their holes: the head by the rule of its crop.

    Args:
        grey: ``(h, w)`` grey levels in 0..255.

    Returns:
        ``(h, w)``; all false where there is none.
    """
    bright = grey > int(_BRIGHT_SHARE * np.percentile(grey, _BRIGHT_PERCENTILE))
    regions, count = ndimage.label(ndimage.binary_fill_holes(bright))
    if count == 0:
        return np.zeros(grey.shape, bool)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _ISLAND_SHARE * sizes.max())[regions] & (regions > 0))


def _brain(grey: Grey) -> Mask | None:
    head = find_head(grey)
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


def _as_pixels(grey: Grey) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)
