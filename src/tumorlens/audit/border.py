"""What stands at the border of a scan: its grey values, and margins of one colour. Knows nothing about labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.measures import grey_image
from tumorlens.types import Pixels

__all__ = ["BORDER_MEASURES", "border_measures"]

BORDER_MEASURES = {"border pixels": 3, "empty margins": 2}
"""Names of what is measured, and how many numbers each has."""

_FRAME_SHARE = 0.01
_NOT_BLACK = 10
_SAME_COLOUR = 2


def border_measures(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Measure the border of one scan.

    Args:
        pixels: ``(h, w, 3)`` uint8 in 0..255.

    Returns:
        ``(5,)`` float64. Of the frame, the outermost 1 % of rows and columns (at least one pixel): mean grey and
        spread of grey, each divided by 255, and the share of pixels above 10. Of the margins, the outermost rows (then
        columns) that hold one colour within 2 grey levels each: their share of the height (of the width).
    """
    grey = np.asarray(grey_image(pixels))
    inner = np.ones(grey.shape, bool)
    margins = [max(1, round(_FRAME_SHARE * side)) for side in grey.shape]
    inner[margins[0] : -margins[0], margins[1] : -margins[1]] = False
    frame = grey[inner].astype(np.float64)
    return np.array(
        [
            frame.mean() / 255,
            frame.std() / 255,
            np.mean(frame > _NOT_BLACK),
            _margins(grey),
            _margins(grey.T),
        ]
    )


def _margins(grey: npt.NDArray[np.uint8]) -> float:
    """Share of rows at both ends that hold one colour; 1 where all do."""
    varied = np.flatnonzero(grey.max(axis=1) - grey.min(axis=1) > _SAME_COLOUR)
    return 1.0 if not varied.size else 1.0 - (varied[-1] - varied[0] + 1) / len(grey)
