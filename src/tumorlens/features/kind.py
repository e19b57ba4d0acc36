"""What a cached vector depends on, and the key that follows from it.

Two vectors share a key only when the same network with the same weights saw the same pixels through the same steps.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

__all__ = ["BoundaryKind", "FeatureKind", "StoredFeature", "View"]

View = Literal["pooled", "flat"]


class StoredFeature(Protocol):
    """What the store must know of a kind of vector."""

    @property
    def width(self) -> int:
        """Number of values in a vector."""

    @property
    def dtype(self) -> str:
        """NumPy's name of the values' type, little-endian."""

    @property
    def prefix(self) -> bytes:
        """16 bytes in front of the pixel digest in every key of this kind."""

    def describe(self) -> str:
        """Everything but the pixels that decides a vector, as canonical JSON."""


@dataclass(frozen=True)
class FeatureKind:
    """Everything but the pixels that decides a feature vector.

    Attributes:
        backbone: Name of the network.
        graph_digest: SHA-256 over weight tensors, preprocessing, size and the version of the code around them.
        size: Side of the square input of the network, in pixels.
        view: ``pooled`` (mean over positions) or ``flat`` (the whole map, channels last).
        scan_steps: Steps between the file and the network's input.
        width: Number of values in a vector.
    """

    backbone: str
    graph_digest: str
    size: int
    view: View
    scan_steps: tuple[str, ...]
    width: int

    @property
    def dtype(self) -> str:
        """Features are kept as they are computed."""
        return "<f4"

    @property
    def prefix(self) -> bytes:
        """16 bytes in front of the pixel digest in every key of this kind."""
        return _prefix(self.describe())

    def describe(self) -> str:
        """The facts as canonical JSON."""
        return _canonical(asdict(self))


@dataclass(frozen=True)
class BoundaryKind:
    """Everything but the pixels that decides what the frozen lower part of a network makes of a scan.

    Attributes:
        backbone: Name of the network.
        graph_digest: SHA-256 over everything that decides what the graph gives.
        layer: The last frozen layer.
        size: Side of the square input of the network, in pixels.
        variant: 0: the scan as it is; above: the augmented view of that number.
        views: What views are like (:attr:`ViewSettings.digest <tumorlens.features.views.ViewSettings.digest>`); empty
            for variant 0.
        scan_steps: Steps between the file and the network's input.
        width: Number of values.
    """

    backbone: str
    graph_digest: str
    layer: str
    size: int
    variant: int
    views: str
    scan_steps: tuple[str, ...]
    width: int

    @property
    def dtype(self) -> str:
        """Half precision: maps are large."""
        return "<f2"

    @property
    def prefix(self) -> bytes:
        """16 bytes in front of the pixel digest in every key of this kind."""
        return _prefix(self.describe())

    def describe(self) -> str:
        """The facts as canonical JSON."""
        return _canonical(
            {**asdict(self), "view": "boundary" if self.variant == 0 else f"boundary, view {self.variant}"}
        )


def _canonical(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def _prefix(description: str) -> bytes:
    return hashlib.sha256(description.encode()).digest()[:16]
