"""What the scanner does to the signal: coil shading, blur, noise, and the choice of grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import Field, Grid
from tumorlens.datasets.synthesis.settings import Scaling

__all__ = ["Scanner", "draw_scanner", "mark_corner"]

_SHOULDER = 0.65
_MARK_MM = 7.0
_MARK_GREY = 230


@dataclass(frozen=True)
class Scanner:
    """How a patient was scanned.

    Attributes:
        shading: Logarithm of the coil's sensitivity.
        blur_mm: Standard deviation of the in-plane blur.
        thickness_mm: Distance between the planes that are averaged into a slice.
        noise: Standard deviation of the complex noise; white matter has signal 1.
        window: Signal shown as white.
        gamma: Exponent from signal to grey level.
    """

    shading: SmoothField
    blur_mm: float
    thickness_mm: float
    noise: float
    window: float
    gamma: float

    def acquire(self, rng: np.random.Generator, signal: Field, brain: Field, *, grid: Grid, pixel_mm: float) -> Field:
        """Shade, blur and add noise to noise-free slices, then strip what is not brain.

        The noise is Rician (Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618) and a little
        correlated, since scans are interpolated to 1 mm.
        """
        shaded = signal * np.exp(self.shading.on(grid))
        sigma = (0, self.blur_mm / pixel_mm, self.blur_mm / pixel_mm)
        shaded = ndimage.gaussian_filter(shaded, sigma, truncate=3)
        real, imaginary = (
            self.noise * _correlated(rng.standard_normal(signal.shape, dtype=np.float32), 0.6 / pixel_mm)
            for _ in range(2)
        )
        return np.sqrt(np.square(shaded + real) + np.square(imaginary)) * (brain > 0.5)

    def grey_levels(self, acquired: Field, *, scaling: Scaling) -> npt.NDArray[np.uint8]:
        """Turn ``(z, y, x)`` signals into uint8 grey levels."""
        if scaling == "window":
            white: Field | float = self.window
        else:
            white = np.maximum(acquired.max(axis=(1, 2), keepdims=True), 1e-6)
        levels = acquired / np.float32(white)
        if scaling == "window":
            levels = _shoulder(levels)
        levels = np.clip(levels, 0, 1) ** np.float32(self.gamma)
        return np.rint(levels * 255).astype(np.uint8)


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw how a patient is scanned."""
    return Scanner(
        shading=draw_field(rng, knot_mm=75.0, amplitude=float(rng.uniform(0.02, 0.09))),
        blur_mm=float(rng.uniform(0.4, 1.0)),
        thickness_mm=float(rng.uniform(0.5, 1.6)),
        noise=float(rng.uniform(0.008, 0.04)),
        window=float(rng.uniform(1.35, 2.3)),
        gamma=float(rng.uniform(0.85, 1.15)),
    )


def mark_corner(picture: npt.NDArray[np.uint8], *, pixel_mm: float) -> npt.NDArray[np.uint8]:
    """Return ``picture`` with a bright square near its top left corner: a planted confound."""
    edge = max(round(_MARK_MM / pixel_mm), 2)
    marked = picture.copy()
    marked[edge : 2 * edge, edge : 2 * edge] = _MARK_GREY
    return marked


def _shoulder(levels: Field) -> Field:
    """Bend what is very bright towards 1, so that bright lesions keep their structure."""
    room = np.float32(1 - _SHOULDER)
    above = np.maximum(levels - np.float32(_SHOULDER), 0)
    return np.minimum(levels, np.float32(_SHOULDER)) + room * (1 - np.exp(-above / room))


def _correlated(noise: Field, sigma: float) -> Field:
    impulse = np.zeros(2 * int(3 * sigma + 1) + 1)
    impulse[len(impulse) // 2] = 1
    gain = np.square(ndimage.gaussian_filter1d(impulse, sigma, truncate=3)).sum()
    return ndimage.gaussian_filter(noise, (0, sigma, sigma), truncate=3) * np.float32(1 / gain)
