"""Whether an exported file answers as its bundle does: the same scans through both, and bounds on what may differ.

Knows nothing about labels: two programs are compared, not a program with the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tumorlens.errors import TumorlensError
from tumorlens.runtime import Outputs
from tumorlens.types import Pixels

__all__ = ["FEWEST_SCANS", "Bounds", "Differences", "batches_of", "check", "compare_answers"]

FEWEST_SCANS = 32
_MEAN = "_mean"


@dataclass(frozen=True)
class Bounds:
    """What may differ at most.

    Attributes:
        probability: Between two probabilities, 0..1.
        probability_mean: The mean of that over all scans and classes.
        map: Between two cells of a map, as a share of the largest magnitude in the bundle's maps.
        features: Between two features, as a share of the largest magnitude in the bundle's features.
    """

    probability: float
    probability_mean: float
    map: float
    features: float


@dataclass(frozen=True)
class Differences:
    """What did differ, absolute values over all scans.

    Attributes:
        probability: Largest and mean.
        map: Likewise, as a share of the largest magnitude in the bundle's maps.
        features: Likewise.
        probability_spread: Between the smallest and the largest of the bundle's probabilities of one class, the widest
            class: what an answer that ignores the scan would be off by.
    """

    probability: tuple[float, float]
    map: tuple[float, float]
    features: tuple[float, float]
    probability_spread: float

    def to_json(self) -> dict[str, Any]:
        """As the report holds it."""
        named = {
            name: dict(zip(("largest", "mean"), getattr(self, name), strict=True))
            for name in asdict(self)
            if name != "probability_spread"
        }
        return {**named, "probability_spread": self.probability_spread}


def batches_of(scans: Sequence[Pixels]) -> list[Pixels]:
    """Scans of one size together, ``(n, h, w, 3)`` each, so that batches are compared too."""
    by_size: dict[tuple[int, ...], list[Pixels]] = {}
    for scan in scans:
        by_size.setdefault(scan.shape, []).append(scan)
    return [np.stack(alike) for alike in by_size.values()]


def compare_answers(bundle: Sequence[Outputs], export: Sequence[Outputs]) -> Differences:
    """How two programs' answers to the same batches differ.

    Raises:
        TumorlensError: The export lacks an output, or gives one of another shape or one that is not finite.
    """
    pairs: dict[str, list[tuple[Any, Any]]] = {"probabilities": [], "map": [], "features": []}
    for ours, theirs in zip(bundle, export, strict=True):
        for name, values in pairs.items():
            if name not in theirs or theirs[name].shape != ours[name].shape or not np.isfinite(theirs[name]).all():
                got = theirs[name].shape if name in theirs else "nothing"
                raise TumorlensError(
                    f"The exported model gives {got} where the bundle gives {name} of the shape {ours[name].shape}, or "
                    "numbers that are not finite, so nothing was written: choose --format openvino."
                )
            values.append((ours[name].astype(np.float64), theirs[name].astype(np.float64)))
    spread = np.concatenate([ours for ours, _ in pairs["probabilities"]])
    return Differences(
        probability=_largest_and_mean(pairs["probabilities"], scale=1.0),
        map=_largest_and_mean(pairs["map"], scale=_magnitude(pairs["map"])),
        features=_largest_and_mean(pairs["features"], scale=_magnitude(pairs["features"])),
        probability_spread=float((spread.max(axis=0) - spread.min(axis=0)).max()),
    )


def check(found: Differences, bounds: Bounds, *, title: str) -> None:
    """Refuse an export that differs by more than the bounds.

    Raises:
        TumorlensError: It does.
    """
    limits: Mapping[str, float] = asdict(bounds)
    for name, limit in limits.items():
        largest, mean = getattr(found, name.removesuffix(_MEAN))
        measured = mean if name.endswith(_MEAN) else largest
        if not measured <= limit:
            raise TumorlensError(
                f"{title} differs from the bundle by {measured:.2g} ({name}), allowed are {limit:g}, so nothing was "
                "written: choose another --format, or report it."
            )


def _magnitude(pairs: Sequence[tuple[Any, Any]]) -> float:
    return max(float(np.abs(ours).max()) for ours, _ in pairs) or 1.0


def _largest_and_mean(pairs: Sequence[tuple[Any, Any]], *, scale: float) -> tuple[float, float]:
    differences = np.concatenate([np.abs(ours - theirs).ravel() for ours, theirs in pairs]) / scale
    return float(differences.max()), float(differences.mean())
