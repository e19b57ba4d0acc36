r"""How alike two scans are in their fine detail, whatever their contrast and a small shift.

Thumbnails cannot tell a copy from a neighbouring slice: both correlate above 0.99. Detail can. Each scan is shrunk to
120 x 120 pixels, its local mean is taken away and its local spread divided out (both Gaussian, 4 pixels wide), so that
gamma, brightness and contrast hardly matter; the finest detail, which compression spoils, is damped. The likeness is
the highest normalised cross-correlation over shifts of up to 3 pixels, found in quarter pixels by a matrix product with
the spectrum (Guizar-Sicairos, Thurman and Fienup 2008, Optics Letters 33:156).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft

from tumorlens.datasets.similarity.turns import turn_pictures

__all__ = ["FinePicture", "coarse_likeness", "fine_likeness", "fine_picture", "low_part", "own_copy_likeness"]

Spectrum = npt.NDArray[np.complex64]

_SIDE = 120
_LOCAL = 4.0
_NOISE = 5.0
_HIGHEST = 36
_LOW = 18
_DAMPING = 0.7
_WORN_SIDE = 96
_COARSE = np.arange(-3, 4, dtype=np.float64)
_FINE = np.arange(-3, 4) / 4
_WORTH_REFINING = 0.6


@dataclass(frozen=True, eq=False)
class FinePicture:
    """One scan, ready for comparison.

    Attributes:
        grey: ``(120, 120)`` uint8.
        worn: The same after a shift by one pixel of the scan and a loss of resolution: what a plain copy looks like.
        spectrum: ``(73, 37)`` complex64: low half of the spectrum of its detail, of length 1.
        low: :func:`low_part` of the spectrum.
    """

    grey: npt.NDArray[np.uint8] = field(repr=False)
    worn: npt.NDArray[np.uint8] = field(repr=False)
    spectrum: Spectrum = field(repr=False)
    low: Spectrum = field(repr=False)

    def turned(self, turn: int) -> Spectrum:
        """Return the spectrum of the picture turned; ``turn`` as in ``datasets.similarity``."""
        return _spectrum(turn_pictures(self.grey, turn))


def fine_picture(grey: Image.Image) -> FinePicture:
    """Prepare an 8-bit grey picture of any size."""
    small = _shrink(grey, _SIDE)
    moved = Image.new("L", grey.size)
    moved.paste(grey, (1, 1))
    worn = Image.fromarray(_shrink(moved, _WORN_SIDE)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    spectrum = _spectrum(small)
    return FinePicture(small, np.asarray(worn), spectrum, low_part(spectrum))


def low_part(spectrum: Spectrum) -> Spectrum:
    """Return the lowest quarter of a spectrum, ``(37, 19)``, again of length 1."""
    low = spectrum[_LOW_ROWS, : _LOW + 1]
    length = float(np.sqrt((np.abs(low) ** 2 * _TWICE[: _LOW + 1]).sum()))
    return low / np.float32(length) if length > 1e-6 else low


def coarse_likeness(first: Spectrum, seconds: Spectrum) -> npt.NDArray[np.float32]:
    """Likeness of one low part with many, over shifts by whole pixels: cheap, and high for every copy.

    Args:
        first: ``(37, 19)`` from :func:`low_part`.
        seconds: ``(m, 37, 19)``.

    Returns:
        ``(m,)`` float32 in -1..1.
    """
    values = _COARSE_ROWS @ (first * seconds.conj()) @ _COARSE_COLUMNS
    return np.asarray(values.real.max(axis=(1, 2)), np.float32)


def fine_likeness(first: Spectrum, second: Spectrum) -> float:
    """Return the likeness of two spectra, -1..1; 0 where one scan has no detail."""
    product = first * second.conj()
    value, down, right = _peak(product, _COARSE, _COARSE)
    if value < _WORTH_REFINING:
        return value
    return _peak(product, down + _FINE, right + _FINE)[0]


def own_copy_likeness(picture: FinePicture) -> float:
    """Return how alike a scan is to a plain copy of itself: lower for sharp and noisy scans."""
    return fine_likeness(picture.spectrum, _spectrum(picture.worn))


def _shrink(grey: Image.Image, side: int) -> npt.NDArray[np.uint8]:
    method = Image.Resampling.BOX if min(grey.size) >= side else Image.Resampling.BILINEAR
    return np.asarray(grey.resize((side, side), method))


def _frequencies(blur: float) -> npt.NDArray[np.float32]:
    """Response of a Gaussian blur of ``blur`` pixels at each frequency, ``(120, 61)``."""
    square = np.fft.fftfreq(_SIDE)[:, None] ** 2 + np.fft.rfftfreq(_SIDE)[None] ** 2
    return np.exp(-2 * (np.pi * blur) ** 2 * square).astype(np.float32)


_ROWS = np.fft.fftfreq(_SIDE, 1 / _SIDE).astype(np.int64)
_KEPT = np.abs(_ROWS) <= _HIGHEST
_COLUMNS = np.arange(_HIGHEST + 1)
_BLUR = _frequencies(_LOCAL)
_DAMP = _frequencies(_DAMPING) * (1 - _BLUR)
_TWICE = np.where(_COLUMNS == 0, 1.0, 2.0)
_LOW_ROWS = np.abs(_ROWS[_KEPT]) <= _LOW


def _shifts(down: npt.NDArray[np.float64], right: npt.NDArray[np.float64], highest: int) -> tuple[Spectrum, Spectrum]:
    """Matrices that turn a product of spectra up to a frequency into its cross-correlation at these shifts."""
    rows = _ROWS[np.abs(_ROWS) <= highest]
    columns = np.arange(highest + 1)
    before = np.exp((2j * np.pi / _SIDE) * np.outer(down, rows))
    after = np.exp((2j * np.pi / _SIDE) * np.outer(columns, right)) * _TWICE[: highest + 1, None]
    return before.astype(np.complex64), after.astype(np.complex64)


_COARSE_ROWS, _COARSE_COLUMNS = _shifts(_COARSE, _COARSE, _LOW)


def _spectrum(grey: npt.NDArray[np.uint8]) -> Spectrum:
    values = grey.astype(np.float32)
    detail = values - fft.irfft2(fft.rfft2(values) * _BLUR, s=values.shape)
    power = fft.irfft2(fft.rfft2(detail * detail) * _BLUR, s=values.shape)
    even = detail / np.sqrt(np.maximum(power, 0) + _NOISE**2)
    spectrum = (fft.rfft2(even) * _DAMP)[_KEPT, : _HIGHEST + 1]
    length = float(np.sqrt((np.abs(spectrum) ** 2 * _TWICE).sum()))
    return (spectrum / length if length > 1e-3 else np.zeros_like(spectrum)).astype(np.complex64)


def _peak(
    product: Spectrum, down: npt.NDArray[np.float64], right: npt.NDArray[np.float64]
) -> tuple[float, float, float]:
    """Highest cross-correlation over these shifts, and the shift where it is."""
    rows, columns = _shifts(down, right, _HIGHEST)
    values = (rows @ product @ columns).real
    place = np.unravel_index(int(values.argmax()), values.shape)
    return float(values[place]), float(down[place[0]]), float(right[place[1]])
