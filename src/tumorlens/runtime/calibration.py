r"""How logits become probabilities: :math:`\mathrm{softmax}(z / T + s)`, with a temperature and a shift for each class.

A temperature alone is temperature scaling (Guo et al., ICML 2017, arXiv 1706.04599); with a shift of the positive of
two classes it is Platt's scaling. Knows nothing about how the two were fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.types import Probabilities

__all__ = ["UNCALIBRATED", "Calibration", "calibrate", "uncalibrate"]

_TINY = 1e-300


@dataclass(frozen=True)
class Calibration:
    """What is done to logits before the softmax.

    Attributes:
        temperature: The logits are divided by it; above 0.
        shift: Added to the logit of each class afterwards; empty: nothing is added.
    """

    temperature: float = 1.0
    shift: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            InputError: The temperature is not positive, or a shift is not finite.
        """
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise InputError(f"The temperature must be a number larger than 0, got {self.temperature}.")
        if not np.isfinite(self.shift).all():
            raise InputError(f"The shift of each class must be a finite number, got {list(self.shift)}.")

    def shifts(self, n_classes: int) -> npt.NDArray[np.float64]:
        """``(n_classes,)`` what is added to each logit.

        Raises:
            InputError: There is a shift for another number of classes.
        """
        if self.shift and len(self.shift) != n_classes:
            raise InputError(f"Expected a shift for each of {n_classes} classes, got {len(self.shift)}.")
        return np.array(self.shift or (0.0,) * n_classes)


UNCALIBRATED = Calibration()
"""Changes nothing."""


def calibrate(probabilities: Probabilities, calibration: Calibration) -> Probabilities:
    """Probabilities ``(n, k)`` as they would be had the logits behind them been calibrated."""
    scaled = _logits(probabilities) / calibration.temperature + calibration.shifts(probabilities.shape[1])
    return _softmax(scaled)


def uncalibrate(probabilities: Probabilities, calibration: Calibration) -> Probabilities:
    """The inverse of :func:`calibrate`."""
    return _softmax((_logits(probabilities) - calibration.shifts(probabilities.shape[1])) * calibration.temperature)


def _logits(probabilities: Probabilities) -> Probabilities:
    """Logits up to a constant, which no softmax sees."""
    return np.log(np.clip(probabilities, _TINY, None))


def _softmax(logits: Probabilities) -> Probabilities:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
