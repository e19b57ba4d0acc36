"""Finds copies: scans with the same pixels, and among them those whose labels disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["check_labels_agree", "conflicting_digests", "copies_of", "distinct_places"]


def conflicting_digests(digests: Sequence[str], labels: Sequence[str]) -> set[str]:
    """Return the digests that appear with more than one label."""
    first: dict[str, str] = {}
    return {d for d, label in zip(digests, labels, strict=True) if first.setdefault(d, label) != label}


def check_labels_agree(digests: Sequence[str], labels: Sequence[str], *, sources: Sequence[str]) -> None:
    """Raise if a scan has two labels.

    Raises:
        InputError: One has; both files of the first such pair are named.
    """
    conflicts = conflicting_digests(digests, labels)
    if not conflicts:
        return
    first: dict[str, int] = {}
    for row, digest in enumerate(digests):
        other = first.setdefault(digest, row)
        if labels[other] != labels[row]:
            raise InputError(
                f"{len(conflicts)} scans have two labels: {sources[other]} is {labels[other]!r}, "
                f"{sources[row]}, with the same pixels, is {labels[row]!r}. Correct the labels, or "
                "leave out all such scans with --drop-conflicts."
            )


def copies_of(digests: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return ``(n,)`` int64: the first row with the same digest, or -1 for that row itself."""
    first: dict[str, int] = {}
    places = [first.setdefault(digest, row) for row, digest in enumerate(digests)]
    return np.array([p if p != row else -1 for row, p in enumerate(places)], np.int64)


def distinct_places(copy_of: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return each row's place among the distinct contents, in order of first appearance.

    Args:
        copy_of: ``(n,)`` int64 from :func:`copies_of`.

    Returns:
        ``(n,)`` int64 in 0..distinct-1.
    """
    own = copy_of == -1
    place = np.cumsum(own) - 1
    return np.where(own, place, place[np.where(own, 0, copy_of)])
