"""Augmented views of a scan, drawn at random: mirrored, turned, scaled, shifted, with other grey levels and artefacts.

Views that are cached are drawn from the pixel digest and the view's number, so that they are the same whatever the
order. Nothing here knows about labels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from tumorlens.scans import ScanView

__all__ = ["AUGMENTATIONS", "ViewSettings", "cached_view", "draw_view"]

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
