"""Fixed views of a scan whose answers are averaged: which they are, what they cost, and what does not rest on them.

The views are the same for every scan and nothing is drawn, so that an answer can be had again. Every pose stands beside
its mirror image: with an even number of views a scan and its mirror image get the same probabilities, but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np

from tumorlens.errors import InputError
from tumorlens.runtime import CompiledGraph, Outputs
from tumorlens.scans import ScanView, apply_view
from tumorlens.types import Pixels, Probabilities

__all__ = ["MOST_VIEWS", "ViewCost", "ViewedBlock", "Views", "fixed_views", "run_views", "total_cost", "views_words"]

_POSES = ((0.0, 1.0), (5.0, 1.0), (-5.0, 1.0), (0.0, 1.05), (0.0, 0.95), (10.0, 1.0), (-10.0, 1.0), (0.0, 1.1))
"""Turn in degrees and factor of size: as it is first, then the smallest changes first."""

MOST_VIEWS = 2 * len(_POSES)
"""Most views of a scan: each pose and its mirror image."""

_BLOCK = 16


def fixed_views(n: int) -> tuple[ScanView, ...]:
    """The first ``n`` views: the scan as it is, its mirror image, then small turns and scales, each with its mirror.

    Raises:
        InputError: ``n`` is no whole number in 1..16.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_VIEWS:
        raise InputError(
            f"The number of views must be a whole number from 1 (the scan as it is) to {MOST_VIEWS}, got {n!r}."
        )
    every = (ScanView(mirror=mirror, angle=turn, scale=scale) for turn, scale in _POSES for mirror in (False, True))
    return tuple(islice(every, n))


def views_words(n: int) -> str:
    """What rests on ``n`` views and what does not, a sentence or two; to be said with every such answer."""
    return (
        f"Probabilities are the mean over {n} fixed views, and the label follows from it. Sets of classes, novelty, "
        "most alike scans and heatmap are of the scan as it is. Calibration and operating point were fitted on one "
        "view: a mean of calibrated probabilities is not calibrated itself, but too unsure."
    )


@dataclass(frozen=True)
class ViewCost:
    """What views cost, on this machine as busy as it was.

    Attributes:
        n: Views of each scan.
        seconds: Wall time for all views of all scans.
        one_view_seconds: The part of it that went into the scans as they are.
        scans: How many scans.
    """

    n: int
    seconds: float
    one_view_seconds: float
    scans: int = 1

    @property
    def factor(self) -> float:
        """How many times as long as one view alone."""
        return self.seconds / self.one_view_seconds

    @property
    def words(self) -> str:
        """One line for a person."""
        return (
            f"{self.n} views: {self.seconds / self.scans:.3f} s a scan, {self.factor:.1f} times one view "
            f"({self.one_view_seconds / self.scans:.3f} s)."
        )

    def to_json(self) -> dict[str, Any]:
        """The keys that ``predict --json`` and ``evaluate --json`` share under ``views``; seconds are of one scan."""
        return {
            "n": self.n,
            "seconds": self.seconds / self.scans,
            "one_view_seconds": self.one_view_seconds / self.scans,
            "factor": self.factor,
            "words": views_words(self.n),
        }


def total_cost(costs: Sequence[ViewCost]) -> ViewCost | None:
    """The cost of all together, all with the same number of views; ``None`` of none."""
    if not costs:
        return None
    return ViewCost(
        costs[0].n,
        sum(cost.seconds for cost in costs),
        sum(cost.one_view_seconds for cost in costs),
        sum(cost.scans for cost in costs),
    )


@dataclass(frozen=True)
class Views:
    """What an answer over several views rests on.

    Attributes:
        cost: What they cost.
        one_view: Probability by class of the scan as it is.
    """

    cost: ViewCost
    one_view: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """The object under ``views`` of ``predict --json``."""
        return {**self.cost.to_json(), "one_view": dict(self.one_view)}


@dataclass(frozen=True)
class ViewedBlock:
    """Some scans in all their views.

    Attributes:
        outputs: The graph's outputs of each scan as it is.
        probabilities: ``(n, k)`` float64, the mean over the views.
        cost: What that cost.
    """

    outputs: Sequence[Outputs]
    probabilities: Probabilities
    cost: ViewCost


def run_views(graph: CompiledGraph, scans: Iterable[Pixels], poses: Sequence[ScanView]) -> Iterator[ViewedBlock]:
    """Stream scans through a graph in all views, a few scans at a time, so that memory does not grow with them.

    Args:
        graph: With the output ``probabilities``; one that has run before, or the first pass costs too much.
        scans: Pixels ``(h, w, 3)`` uint8 in 0..255, read while others are computed.
        poses: The views, the scan as it is first; two or more.

    Yields:
        Up to 16 scans at a time, in order.
    """
    source = iter(scans)
    while True:
        started = perf_counter()
        block: list[Pixels] = []
        outputs = [found for _, found in graph.stream(enumerate(_keeping(islice(source, _BLOCK), block)))]
        one_view = perf_counter() - started
        if not outputs:
            return
        total = np.concatenate([found["probabilities"] for found in outputs]).astype(np.float64)
        others = ((place, apply_view(pixels, pose)) for pose in poses[1:] for place, pixels in enumerate(block))
        for place, found in graph.stream(others):
            total[place] += found["probabilities"][0]
        seconds = perf_counter() - started
        yield ViewedBlock(outputs, total / len(poses), ViewCost(len(poses), seconds, one_view, len(block)))


def _keeping(scans: Iterable[Pixels], block: list[Pixels]) -> Iterator[Pixels]:
    """The scans as they come, kept in ``block`` too."""
    for pixels in scans:
        block.append(pixels)
        yield pixels
