"""Names for the arrays that travel through the pipeline. Knows nothing but NumPy."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Features", "Labels", "Maps", "Pixels", "Probabilities"]

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""One scan ``(h, w, 3)`` or a batch ``(n, h, w, 3)``, uint8 in 0..255, RGB."""

Features: TypeAlias = npt.NDArray[np.float32]
"""``(n, d)`` float32: one row a scan."""

Maps: TypeAlias = npt.NDArray[np.float32]
"""``(n, h, w, k)`` float32: spatial maps, channels last."""

Probabilities: TypeAlias = npt.NDArray[np.float64]
"""``(n, k)`` float64 in 0..1; rows sum to 1; columns in class order."""

Labels: TypeAlias = npt.NDArray[np.int64]
"""``(n,)`` int64: index into the class order."""
