"""The first mistake: a random split, scan by scan, with parts as large as the right ones.

Whoever splits so does not know of groups at all: the cross-validation within training that chooses a head's strength
ignores them too. Intervals still rest on the groups.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tumorlens.datasets import Dataset, Split, residual_neighbours
from tumorlens.datasets.split import make_split
from tumorlens.features import FeatureSet
from tumorlens.training import FittedHead
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HeadKind

__all__ = ["fitted_without_groups", "random_split", "with_random_split"]


def with_random_split(context: RunContext) -> RunContext:
    """The same context with its scans dealt out one by one."""
    split = random_split(context.dataset, context.split, seed=context.seed)
    return replace(context, split=split, neighbours=residual_neighbours(context.dataset, split))


def fitted_without_groups(head: HeadKind) -> HeadKind:
    """The same kind of head, fitted as if every scan were a group of its own."""

    def fit(context: RunContext, features: FeatureSet) -> FittedHead:
        table = context.dataset.manifest
        single = replace(context.dataset, manifest=table.assign(group=table["row_id"].astype(str)))
        return head.fit(replace(context, dataset=single), features)

    return replace(head, fit=fit)


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
