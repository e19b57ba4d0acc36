"""What a cached vector depends on, and the key that follows from it.

Two vectors share a key only when the same network with the same weights saw the same pixels through the same steps.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["FeatureKind", "View"]

View = Literal["pooled", "flat"]


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
    def prefix(self) -> bytes:
        """16 bytes in front of the pixel digest in every key of this kind."""
        return hashlib.sha256(self.describe().encode()).digest()[:16]

    def describe(self) -> str:
        """The facts as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
