"""The first mistake: a random split, scan by scan, with parts as large as the right ones.

Nothing else changes: the head is fitted as in the right run, also within training, and intervals rest on the groups.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tumorlens.datasets import Dataset, Split, residual_neighbours
from tumorlens.datasets.split import make_split
from tumorlens.workflows.context import RunContext

__all__ = ["random_split", "with_random_split"]


def with_random_split(context: RunContext) -> RunContext:
    """The same context with its scans dealt out one by one."""
    split = random_split(context.dataset, context.split, seed=context.seed)
    return replace(context, split=split, neighbours=residual_neighbours(context.dataset, split))


def random_split(dataset: Dataset, right: Split, *, seed: int) -> Split:
    """Deal the scans of each class out at random to parts as large as those of another split.

    Groups are ignored, and so are copies. It is kept in no file, so that nobody takes it up by accident.

    Args:
        dataset: The scans.
        right: The split whose parts say how many scans of each class go where.
        seed: Same seed, same split.
    """
    generator = np.random.default_rng(seed)
    parts = right.parts.copy()
    for code in range(len(dataset.classes)):
        rows = np.flatnonzero(dataset.labels == code)
        parts[rows] = generator.permutation(right.parts[rows])
    return make_split(parts, pixel_digests=right.pixel_digests, protocol="grouped", seed=seed, groups_are="none")
