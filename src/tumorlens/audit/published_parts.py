"""Which scans the split that came with the data tests, and which it trains on: one answer for leaks and price."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import Dataset

__all__ = ["PUBLISHED_PART", "PublishedParts", "find_published_parts"]

PUBLISHED_PART = "published_part"
"""Manifest column with the part a scan was published in: ``train``, ``validation`` or ``test``."""

_HELD_OUT = ("test", "validation")


@dataclass(frozen=True, eq=False)
class PublishedParts:
    """The two sides of a published split.

    Attributes:
        held_out: ``test``, or ``validation`` where no test part was published.
        tested: ``(n,)`` bool: scans of that part.
        trained: ``(n,)`` bool: scans of the training part.
    """

    held_out: str
    tested: npt.NDArray[np.bool_] = field(repr=False)
    trained: npt.NDArray[np.bool_] = field(repr=False)


def find_published_parts(dataset: Dataset) -> PublishedParts | None:
    """Find the held-out and the training part of the split that came with the data; ``None`` where one is missing."""
    if PUBLISHED_PART not in dataset.manifest.columns:
        return None
    parts = dataset.manifest[PUBLISHED_PART].fillna("").to_numpy(dtype=np.str_)
    held_out = next((part for part in _HELD_OUT if (parts == part).any()), None)
    if held_out is None or not (parts == "train").any():
        return None
    return PublishedParts(held_out, parts == held_out, parts == "train")
