"""Finds scans that look alike: first by their descriptors, then by their thumbnails laid onto each other.

Up to 20,000 thumbnails every pair of descriptors is compared, and of one scan at most the 512 most alike in each turn
are looked at; above that an approximate index proposes the nearest 64. What is reported was compared in full either
way, so no pair is reported that is not alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from tumorlens.datasets.pool import ordered_map
from tumorlens.datasets.similarity.candidates import AllPairs, CandidateSource
from tumorlens.datasets.similarity.descriptors import describe, unit_rows
from tumorlens.datasets.similarity.index import MOST_EXACT, NearestIndex
from tumorlens.datasets.similarity.pairs import TwinPairs, empty_pairs, join_pairs
from tumorlens.datasets.similarity.turns import TURNS, UPRIGHT, turn_pictures
from tumorlens.datasets.similarity.verification import Verifier
from tumorlens.progress import SILENT, Progress

__all__ = ["TWIN_SIMILARITY", "find_twins", "find_twins_between", "nearest_in_other_parts", "nearest_similarity"]

TWIN_SIMILARITY = 0.94
"""Similarity above which two scans count as near-twins."""

_TURN_MARGIN = 0.02
_SLACK = 0.02
_SIDE = 15
_INDEX_SIDE = 30
_ROWS = 1024
_BLOCK = 512
_WORKERS = 2
_AHEAD = 4


def find_twins(
    thumbnails: npt.NDArray[np.uint8],
    *,
    above: float = TWIN_SIMILARITY,
    turns: bool = True,
    progress: Progress = SILENT,
) -> TwinPairs:
    """Find the pairs of one set that look alike.

    Args:
        thumbnails: ``(n, 60, 60)`` uint8.
        above: Similarity that a pair must exceed, -1..1.
        turns: Whether turned and mirrored twins are looked for too. A brain is nearly symmetric: a pair counts as
            turned only if that makes it more alike than upright by more than 0.02.
        progress: Told about each block.

    Returns:
        Each pair once, ordered by first and second.
    """
    return _search(thumbnails, thumbnails, above=above, turns=turns, progress=progress, within=True)


def find_twins_between(
    queries: npt.NDArray[np.uint8],
    references: npt.NDArray[np.uint8],
    *,
    above: float = TWIN_SIMILARITY,
    turns: bool = True,
    progress: Progress = SILENT,
) -> TwinPairs:
    """Find the pairs between two sets that look alike; otherwise as :func:`find_twins`.

    Args:
        queries: ``(q, 60, 60)`` uint8.
        references: ``(r, 60, 60)`` uint8.
        above: Similarity that a pair must exceed, -1..1.
        turns: Whether turned and mirrored twins are looked for too.
        progress: Told about each block.
    """
    return _search(queries, references, above=above, turns=turns, progress=progress, within=False)


def nearest_similarity(queries: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Correlation of each thumbnail with its most alike reference, upright and not shifted.

    Args:
        queries: ``(q, 60, 60)`` uint8.
        references: ``(r, 60, 60)`` uint8, at least one.

    Returns:
        ``(q,)`` float32 in -1..1; 0 for a query of one colour.
    """
    units = _units(queries)
    best = np.full(len(queries), -1, np.float32)
    for start in range(0, len(references), _ROWS):
        columns = _units(references[start : start + _ROWS]).T
        for row in range(0, len(queries), _ROWS):
            products = units[row : row + _ROWS] @ columns
            np.maximum(best[row : row + _ROWS], products.max(axis=1), out=best[row : row + _ROWS])
    return best


def nearest_in_other_parts(thumbnails: npt.NDArray[np.uint8], parts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Correlation of each thumbnail with the most alike one outside its part, for several divisions in one pass.

    Args:
        thumbnails: ``(n, 60, 60)`` uint8.
        parts: ``(divisions, n)``: the part each thumbnail belongs to.

    Returns:
        ``(divisions, n)`` float32 in -1..1; -1 where a division has one part only.
    """
    best = np.full(parts.shape, -1, np.float32)
    for start in range(0, len(thumbnails), _ROWS):
        columns = _units(thumbnails[start : start + _ROWS]).T
        for row in range(0, len(thumbnails), _ROWS):
            products = _units(thumbnails[row : row + _ROWS]) @ columns
            rows = slice(row, row + _ROWS)
            for division, part in enumerate(parts):
                same = part[rows, None] == part[None, start : start + _ROWS]
                outside = np.where(same, np.float32(-1), products).max(axis=1)
                np.maximum(best[division, rows], outside, out=best[division, rows])
    return best


def _units(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return unit_rows(thumbnails.reshape(len(thumbnails), -1).astype(np.float32))


def _search(
    queries: npt.NDArray[np.uint8],
    references: npt.NDArray[np.uint8],
    *,
    above: float,
    turns: bool,
    progress: Progress,
    within: bool,
) -> TwinPairs:
    searched = TURNS if turns else (UPRIGHT,)
    if not (len(queries) and len(references)):
        return empty_pairs()
    with threadpool_limits(limits=1):  # the products are small: threads inside them lose more by waiting than they win
        source, side = _source(references)
        verifier = Verifier(queries, references, above=above)

        def look(job: tuple[int, int]) -> TwinPairs:
            turn, start = job
            described = describe(queries[start : start + _BLOCK], side=side)
            turned = turn_pictures(described, turn).reshape(len(described), -1)
            first, second = source.above(turned, above - _SLACK, start=start if within else None)
            return verifier.look(first + start, second, turn)

        jobs = [(turn, start) for turn in searched for start in range(0, len(queries), _BLOCK)]
        found = []
        with progress.task("Looking for twins", total=len(searched) * len(queries)) as task:
            for (_, start), pairs in zip(jobs, ordered_map(look, jobs, workers=_WORKERS, ahead=_AHEAD), strict=True):
                found.append(pairs)
                task.advance(min(_BLOCK, len(queries) - start))
        pairs = join_pairs(found)
        return _settle(_one_way(pairs) if within else pairs, verifier)


def _source(references: npt.NDArray[np.uint8]) -> tuple[CandidateSource, int]:
    """What proposes candidates, and the side of the descriptors it wants."""
    if len(references) <= MOST_EXACT:
        return AllPairs(describe(references, side=_SIDE).reshape(len(references), -1)), _SIDE

    def rows_of(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        return describe(references[numbers], side=_INDEX_SIDE).reshape(len(numbers), -1)

    return NearestIndex(rows_of, len(references)), _INDEX_SIDE


def _one_way(pairs: TwinPairs) -> TwinPairs:
    """Order both ends of each pair; turning back by 90 degrees is turning by 270."""
    swapped = pairs.first > pairs.second
    turn = np.where(swapped & (pairs.turn % 2 == 1) & (pairs.turn < 4), 4 - pairs.turn, pairs.turn).astype(np.int8)
    first, second = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    return TwinPairs(first, second, pairs.similarity, turn)


def _settle(pairs: TwinPairs, verifier: Verifier) -> TwinPairs:
    """Keep each pair once: upright unless a turn makes it clearly more alike."""
    pairs = pairs.take(np.lexsort((-pairs.similarity, pairs.second, pairs.first)))
    best = pairs.take(_first_of_each(pairs))
    turned = np.flatnonzero(best.turn != UPRIGHT)
    similarity, turn = best.similarity.copy(), best.turn.copy()
    upright = verifier.similarity(best.first[turned], best.second[turned], UPRIGHT)
    hardly = upright >= similarity[turned] - _TURN_MARGIN
    similarity[turned[hardly]] = upright[hardly]
    turn[turned[hardly]] = UPRIGHT
    settled = TwinPairs(best.first, best.second, similarity, turn)
    return settled.take(similarity > verifier.above)


def _first_of_each(pairs: TwinPairs) -> npt.NDArray[np.bool_]:
    """Mask of the first of each run of the same pair."""
    new = np.ones(len(pairs), bool)
    new[1:] = (pairs.first[1:] != pairs.first[:-1]) | (pairs.second[1:] != pairs.second[:-1])
    return new
