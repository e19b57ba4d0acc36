"""Scans that do not look like the rest: far from all others, empty, inverted, clipped, with text, in colour.

Every rule has a stated threshold, and none looks at labels. What is found is to be looked at, not thrown out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import OddScan
from tumorlens.audit.odd_distance import neighbour_distances, robust_scores
from tumorlens.audit.odd_measures import OddMeasures, measure_oddness
from tumorlens.audit.text_marks import FEWEST_MARKS
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.pool import ordered_map
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.types import Features

__all__ = ["ODD_REASONS", "odd_scans"]

ODD_REASONS = ("far from all others", "empty", "inverted", "bright frame", "clipped", "burned-in text", "colour")
"""In the order in which they are reported."""

FAR_SCORE = 6.0
EMPTY_HEAD = 0.02
EMPTY_PEAK = 20.0
BORDER_GREY = 100.0
BORDER_STEP = 30.0
CLIPPED_SHARE = 0.10
COLOURED_SHARE = 0.02
_MOST_COLOURED = 0.5
_WORKERS, _AHEAD = 2, 32


def odd_scans(
    dataset: Dataset, *, features: Features | None = None, progress: Progress = SILENT
) -> tuple[OddScan, ...]:
    """Find the odd ones out.

    Reasons and rules:

    * ``far from all others``: the mean distance to the five nearest others, in ``features`` or else in thumbnails,
      lies more than 6 robust standard deviations above the median.
    * ``empty``: the head covers less than 2 % of the scan, or nothing is brighter than grey 20.
    * ``inverted``: the border (8 % of each side) is brighter than grey 100 and than the middle by 30.
    * ``bright frame``: the same of the outermost 4 % only, as where a picture was cut out with its frame.
    * ``clipped``: more than 10 % of the head's pixels are at the top of the scale.
    * ``burned-in text``: lines of three or more small bright marks outside the head.
    * ``colour``: more than 2 % of the pixels are coloured, where less than half of the scans are.

    Every distinct content is read once, in bounded memory, and reported once, by its first row.

    Args:
        dataset: The scans.
        features: ``(n, d)`` float32 pooled features, one row a row of the manifest; ``None``: thumbnails.
        progress: Told about each scan.

    Returns:
        By reason, the oddest first; all of them.

    Raises:
        InputError: There is not one row of features for each scan.
    """
    rows = np.flatnonzero(dataset.manifest["copy_of"].to_numpy() == -1)
    if features is not None and len(features) != len(dataset):
        raise InputError(f"Expected features of {len(dataset)} scans, got {len(features)}: extract them again.")
    measures = list(_measure(dataset, rows, progress=progress))
    found = [*_far(dataset, rows, features), *_by_pixels(rows, measures)]
    return tuple(odd for reason in ODD_REASONS for odd in _oddest_first(found, reason))


def _measure(dataset: Dataset, rows: npt.NDArray[np.int64], *, progress: Progress) -> Iterator[OddMeasures]:
    digests = dataset.digests
    with dataset.open_pixels() as store, progress.task("Looking for odd scans", total=len(rows)) as task:
        for measures in ordered_map(
            lambda row: measure_oddness(store.get(digests[row])), rows.tolist(), workers=_WORKERS, ahead=_AHEAD
        ):
            task.advance()
            yield measures


def _far(dataset: Dataset, rows: npt.NDArray[np.int64], features: Features | None) -> Iterator[OddScan]:
    if features is None:
        small = dataset.distinct_thumbnails().reshape(len(rows), 30, 2, 30, 2).mean(axis=(2, 4), dtype=np.float32)
        vectors = small.reshape(len(rows), -1)
        vectors -= vectors.mean(axis=1, keepdims=True)
    else:
        vectors = features[rows]
    scores = robust_scores(neighbour_distances(vectors))
    for place in np.flatnonzero(scores > FAR_SCORE):
        words = f"its nearest others are {scores[place]:.1f} times the usual spread further away than is common"
        yield OddScan(int(rows[place]), "far from all others", float(scores[place]), words)


def _by_pixels(rows: npt.NDArray[np.int64], measures: list[OddMeasures]) -> Iterator[OddScan]:
    coloured = np.array([measured.coloured for measured in measures]) > COLOURED_SHARE
    mostly_grey = bool(coloured.mean() < _MOST_COLOURED) if len(measures) else False
    for row, one in zip(rows.tolist(), measures, strict=True):
        if one.peak < EMPTY_PEAK:
            yield OddScan(row, "empty", 1.0, f"nothing is brighter than grey {one.peak:.0f} of 255")
        elif one.head < EMPTY_HEAD:
            yield OddScan(row, "empty", 1 - one.head, f"the head covers {100 * one.head:.1f} % of the scan")
        if one.frame > BORDER_GREY and one.frame > one.centre + BORDER_STEP:
            deep = one.border > BORDER_GREY and one.border > one.centre + BORDER_STEP
            words = f"the border (grey {one.frame:.0f}) is brighter than the middle ({one.centre:.0f})"
            yield OddScan(row, "inverted" if deep else "bright frame", one.frame - one.centre, words)
        if one.clipped > CLIPPED_SHARE:
            words = f"{100 * one.clipped:.0f} % of the head is at the top of the scale"
            yield OddScan(row, "clipped", one.clipped, words)
        if one.marks >= FEWEST_MARKS:
            yield OddScan(row, "burned-in text", float(one.marks), f"{one.marks} marks in lines outside the head")
        if mostly_grey and one.coloured > COLOURED_SHARE:
            words = f"{100 * one.coloured:.0f} % of the pixels are coloured, and most scans are grey"
            yield OddScan(row, "colour", one.coloured, words)


def _oddest_first(found: list[OddScan], reason: str) -> list[OddScan]:
    return sorted((odd for odd in found if odd.reason == reason), key=lambda odd: (-odd.score, odd.row_id))
