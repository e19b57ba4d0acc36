"""How alike scans are, by their thumbnails: twins upright, turned or mirrored, and the nearest of many.

Pipeline: ``descriptors`` (225 numbers a thumbnail) → ``candidates`` (all pairs, or ``index``, approximate, for large
sets) → ``alignment`` (full thumbnails, shifted onto each other) → ``search``. Knows nothing about labels or groups.
"""

from tumorlens.datasets.similarity.pairs import TwinPairs
from tumorlens.datasets.similarity.search import (
    find_twins,
    find_twins_between,
    nearest_in_other_parts,
    nearest_similarity,
)

__all__ = ["TwinPairs", "find_twins", "find_twins_between", "nearest_in_other_parts", "nearest_similarity"]
