r"""One scan seen differently: mirrored, turned, scaled, shifted, with other grey levels. Draws no view at random.

Grey levels :math:`x` in 0..1 become :math:`(g\,b(p)\,x^{\gamma})` with gain g, gamma and a smooth bias field b over the
positions p, plus noise; black stays black but for the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, radians, sin

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.types import Pixels

__all__ = ["ScanView", "apply_view"]


@dataclass(frozen=True, kw_only=True)
class ScanView:
    """What is done to one scan; the default changes nothing.

    Attributes:
        mirror: Whether left and right change places.
        angle: Turn, degrees, counter-clockwise.
        scale: Factor of size.
        shift: Right and down, share of width and height.
        gain: Factor of grey levels.
        gamma: Exponent of grey levels.
        bias: Coefficients of x, y, xx, xy, yy and 1 of the logarithmic bias field, x and y in -1..1; empty: none.
        noise: Standard deviation of the noise, share of 255.
        noise_seed: Its seed.
    """

    mirror: bool = False
    angle: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0
    gamma: float = 1.0
    bias: tuple[float, ...] = ()
    noise: float = 0.0
    noise_seed: int = 0


def apply_view(pixels: Pixels, view: ScanView) -> Pixels:
    """The view of a scan.

    Args:
        pixels: ``(h, w, 3)`` uint8.
        view: What is done.

    Returns:
        ``(h, w, 3)`` uint8; what comes in from outside is black.
    """
    if view == ScanView():
        return pixels
    moved = _move(pixels, view)
    if (view.gain, view.gamma, view.bias, view.noise) == (1.0, 1.0, (), 0.0):
        return moved
    return _relight(moved, view)


def _move(pixels: Pixels, view: ScanView) -> Pixels:
    if (view.mirror, view.angle, view.scale, view.shift) == (False, 0.0, 1.0, (0.0, 0.0)):
        return pixels
    height, width = pixels.shape[:2]
    turn = radians(view.angle)
    across = -1.0 if view.mirror else 1.0
    matrix = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]]) / view.scale
    matrix[0] *= across
    centre = np.array([width / 2, height / 2])
    offset = centre - matrix @ (centre + np.array([view.shift[0] * width, view.shift[1] * height]))
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = Image.fromarray(pixels).transform(
        (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def _relight(pixels: Pixels, view: ScanView) -> Pixels:
    levels = np.arange(256, dtype=np.float32) / 255.0
    table = (255.0 * view.gain * levels**view.gamma).astype(np.float32)
    grey: npt.NDArray[np.float32] = table[pixels]
    if view.bias:
        grey *= _bias_field(pixels.shape[0], pixels.shape[1], view.bias)[..., None]
    if view.noise:
        noise = np.random.default_rng(view.noise_seed).standard_normal(pixels.shape[:2], np.float32)
        grey += np.float32(255.0 * view.noise) * noise[..., None]
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _bias_field(height: int, width: int, bias: tuple[float, ...]) -> npt.NDArray[np.float32]:
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    a, b, c, d, e, f = bias
    return np.asarray(np.exp(a * x + b * y + c * x * x + d * x * y + e * y * y) * exp(f), np.float32)
