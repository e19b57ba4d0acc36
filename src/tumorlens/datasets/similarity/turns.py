"""The eight ways a square picture can lie: turned by quarters, and mirrored."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["TURNS", "UPRIGHT", "turn_pictures"]

UPRIGHT = 0
"""Not turned."""

TURNS = tuple(range(8))
"""0 upright; 1, 2, 3 by 90, 180, 270 degrees counter-clockwise; 4 to 7 mirrored left-right first."""

_Value = TypeVar("_Value", np.uint8, np.float32)


def turn_pictures(pictures: npt.NDArray[_Value], turn: int) -> npt.NDArray[_Value]:
    """Turn square pictures.

    Args:
        pictures: ``(..., side, side)``.
        turn: One of :data:`TURNS`.

    Returns:
        A view of the same shape.
    """
    mirrored = pictures[..., ::-1] if turn >= 4 else pictures
    return np.rot90(mirrored, turn % 4, axes=(-2, -1))
