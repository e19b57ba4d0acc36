"""Deletion and insertion: what becomes of a class' probability when a map's strongest cells go first, or come first.

Petsiuk, Das, Saenko, "RISE: Randomized input sampling for explanation of black-box models", BMVC 2018, arXiv
1806.07421. Cells of the map are replaced by a baseline picture in the order of their evidence (deletion), or the
baseline gets the scan's cells in that order (insertion); the curve is the probability against the share of cells done,
its figure the area below. A small area of deletion and a large one of insertion speak for the map. The pictures in
between look like nothing the model was trained on, and another baseline gives other areas, so the baseline is said with
the figure. The model is any callable; the PyPI package quantus has such curves too, but accepts only PyTorch and
TensorFlow models, on float images normalised outside, so it cannot be used with a graph on uint8 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.types import Pixels

__all__ = ["RemovalCurve", "blurred_picture", "deletion_curve", "insertion_curve", "mean_picture"]

Answer = Callable[[Pixels], npt.NDArray[np.floating]]
"""From ``(n, h, w, 3)`` uint8 to ``(n,)`` probabilities of the class in question, 0..1."""

_BLUR = 0.1


@dataclass(frozen=True, eq=False)
class RemovalCurve:
    """A class' probability while cells are exchanged.

    Attributes:
        shares: ``(m,)`` rising share of cells exchanged, from 0 to 1.
        probabilities: ``(m,)`` of the class, 0..1.
        area: Area below the curve, 0..1 (trapezoids).
    """

    shares: npt.NDArray[np.float64] = field(repr=False)
    probabilities: npt.NDArray[np.float64] = field(repr=False)
    area: float


def deletion_curve(
    scan: Pixels, evidence: npt.NDArray[np.floating], answer: Answer, *, baseline: Pixels, steps: int = 16
) -> RemovalCurve:
    """The scan loses its cells to the baseline, the strongest first.

    Args:
        scan: ``(h, w, 3)`` uint8.
        evidence: Map of the class over the whole scan; equal cells go in reading order.
        answer: Gives the probability of the class.
        baseline: ``(h, w, 3)`` uint8: what a deleted cell shows, such as :func:`blurred_picture`.
        steps: At how many evenly spread shares the model is asked after the start; no more than there are cells.

    Raises:
        InputError: The baseline has another shape, or there is no step.
    """
    return _curve(scan, baseline, evidence, answer, steps)


def insertion_curve(
    scan: Pixels, evidence: npt.NDArray[np.floating], answer: Answer, *, baseline: Pixels, steps: int = 16
) -> RemovalCurve:
    """The baseline gets the scan's cells, the strongest first; arguments as of :func:`deletion_curve`.

    Raises:
        InputError: The baseline has another shape, or there is no step.
    """
    return _curve(baseline, scan, evidence, answer, steps)


def mean_picture(scan: Pixels) -> Pixels:
    """A picture of one colour, the scan's mean: ``(h, w, 3)`` uint8."""
    return np.broadcast_to(np.rint(scan.mean(axis=(0, 1))).astype(np.uint8), scan.shape).copy()


def blurred_picture(scan: Pixels, *, share: float = _BLUR) -> Pixels:
    """The scan under a Gaussian blur, ``(h, w, 3)`` uint8.

    Args:
        scan: ``(h, w, 3)`` uint8.
        share: Standard deviation of the blur as a share of the scan's longer side.
    """
    from scipy.ndimage import gaussian_filter

    sigma = share * max(scan.shape[:2])
    blurred = gaussian_filter(scan.astype(np.float32), sigma=(sigma, sigma, 0), mode="nearest")
    return np.clip(np.rint(blurred), 0, 255).astype(np.uint8)


def _curve(start: Pixels, end: Pixels, evidence: npt.NDArray[np.floating], answer: Answer, steps: int) -> RemovalCurve:
    if start.shape != end.shape or steps < 1:
        raise InputError(
            f"Scan and baseline must have one shape and steps be at least 1, got {start.shape}, {end.shape}, {steps}."
        )
    cells = evidence.size
    counts = np.unique(np.rint(np.linspace(0, cells, min(steps, cells) + 1)).astype(np.int64))
    rank = np.empty(cells, np.int64)
    rank[np.argsort(-evidence.ravel(), kind="stable")] = np.arange(cells)
    at_pixels = _over_scan(rank.reshape(evidence.shape), start.shape[:2])
    pictures = np.stack([np.where((at_pixels < count)[..., None], end, start) for count in counts])
    probabilities = np.asarray(answer(pictures), np.float64)
    shares = counts / cells
    area = float(np.sum(np.diff(shares) * (probabilities[1:] + probabilities[:-1]) / 2))
    return RemovalCurve(shares, probabilities, area)


def _over_scan(cells: npt.NDArray[np.int64], shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The cell's value at every pixel."""
    rows, columns = (np.arange(side) * n // side for side, n in zip(shape, cells.shape, strict=True))
    return cells[np.ix_(rows, columns)]
