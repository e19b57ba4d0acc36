r"""Augmented views of a scan: mirrored, turned, scaled, shifted, with other grey levels, and with artefacts.

A view is drawn from a random generator and applied to 0..255 pixels. Views that are cached are drawn from the pixel
digest and the view's number, so that they are the same whatever the order. Nothing here knows about labels.

Grey levels :math:`x` in 0..1 become :math:`(g\,b(p)\,x^{\gamma})` with gain g, gamma and a smooth bias field b over the
positions p, plus noise; black stays black but for the noise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import cos, exp, radians, sin

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.types import Pixels

__all__ = ["AUGMENTATIONS", "ScanView", "ViewSettings", "apply_view", "cached_view", "draw_view"]

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ViewSettings:
    """How far views may go.

    Attributes:
        mirror: Probability of a left-right mirror image.
        rotation: Largest turn, degrees.
        scale: Largest change of size, share.
        shift: Largest shift, share of the side.
        gain: Largest change of brightness, share.
        gamma: Largest change of gamma, as a share: gamma lies in 1 / (1 + gamma) .. 1 + gamma.
        bias: Standard deviation of each of the six coefficients of the logarithmic bias field, of degree 2.
        noise: Largest standard deviation of Gaussian noise, share of 255.
    """

    mirror: float = 0.5
    rotation: float = 15.0
    scale: float = 0.1
    shift: float = 0.05
    gain: float = 0.2
    gamma: float = 0.25
    bias: float = 0.0
    noise: float = 0.0

    @property
    def digest(self) -> str:
        """SHA-256 over settings and the version of what is done with them."""
        return hashlib.sha256(json.dumps([_VERSION, asdict(self)], sort_keys=True).encode()).hexdigest()


AUGMENTATIONS: Mapping[str, ViewSettings] = {
    "plain": ViewSettings(),
    "artefacts": ViewSettings(gain=0.3, gamma=0.5, bias=0.15, noise=0.03),
}
"""Settings by name: geometry and mild grey levels, or wider grey levels with bias field and noise too."""


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


def draw_view(random: np.random.Generator, settings: ViewSettings) -> ScanView:
    """Draw a view."""
    up = 1.0 + settings.gamma
    values = random.uniform(-1.0, 1.0, 6)
    bias = random.normal(0.0, 1.0, 6) * settings.bias
    return ScanView(
        mirror=bool(random.random() < settings.mirror),
        angle=float(values[0] * settings.rotation),
        scale=float(1.0 + values[1] * settings.scale),
        shift=(float(values[2] * settings.shift), float(values[3] * settings.shift)),
        gain=float(1.0 + values[4] * settings.gain),
        gamma=float(up ** values[5]),
        bias=tuple(bias.tolist()) if settings.bias else (),
        noise=float(random.random() * settings.noise),
        noise_seed=int(random.integers(1 << 31)),
    )


def cached_view(digest: str, variant: int, settings: ViewSettings) -> ScanView:
    """The view of that number of a scan, always the same; number 0 is the scan as it is.

    Args:
        digest: The scan's pixel digest, 64 hexadecimal digits.
        variant: Number of the view.
        settings: How far views may go.
    """
    if variant == 0:
        return ScanView()
    return draw_view(np.random.default_rng([int(digest[:15], 16), variant]), settings)


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
