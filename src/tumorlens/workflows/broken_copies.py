"""The third mistake: mirrored copies made before the split, so that those of the test scans stand in training.

The test part stays as it is; only the training part grows, and only while a head is fitted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.datasets import Dataset
from tumorlens.datasets.pixelstore import open_pixel_store
from tumorlens.datasets.split import make_split
from tumorlens.features import FeatureSet, extract_features
from tumorlens.runtime import FeatureGraph
from tumorlens.scans import pixel_digest
from tumorlens.training import FittedHead
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HeadKind

__all__ = ["fitted_on_copies", "mirror_test_scans", "with_copies"]


def fitted_on_copies(head: HeadKind, graph: FeatureGraph) -> HeadKind:
    """The same kind of head, fitted on the training part with mirrored copies of the test scans in it."""

    def fit(context: RunContext, features: FeatureSet) -> FittedHead:
        with context.training_folder(f"{context.dataset.name}-{graph.backbone}-mirrored") as folder:
            copies = mirror_test_scans(context, folder)
            extracted = extract_features(
                copies, graph, context.store, views=(head.view,), threads=context.threads, progress=context.progress
            )
        digests = features.digests + extracted[head.view].digests
        return head.fit(with_copies(context, copies), replace(features, digests=digests))

    return replace(head, fit=fit)


def mirror_test_scans(context: RunContext, folder: Path) -> Dataset:
    """Mirror every scan of the test part, left to right.

    Args:
        context: Data set and split.
        folder: Where the mirrored pixels go.

    Returns:
        A data set of the copies alone, with the labels and groups of their originals, in the order of the test part.
    """
    rows = context.split.rows("test")
    digests = []
    copies = Dataset(folder, context.dataset.record, pd.DataFrame())
    with context.dataset.open_pixels() as pixels, open_pixel_store(copies.pixel_folder, writable=True) as store:
        for digest in context.dataset.digests[rows]:
            mirrored = np.ascontiguousarray(pixels.get(digest)[:, ::-1])
            digests.append(pixel_digest(mirrored))
            store.write([(digests[-1], mirrored)])
    table = context.dataset.manifest.iloc[rows].assign(pixel_digest=digests).reset_index(drop=True)
    return replace(copies, manifest=table)


def with_copies(context: RunContext, copies: Dataset) -> RunContext:
    """The same context with ``copies`` behind its rows, all of them in the training part."""
    table = pd.concat([context.dataset.manifest, copies.manifest], ignore_index=True)
    dataset = replace(context.dataset, manifest=table.assign(row_id=np.arange(len(table))))
    split = make_split(
        np.concatenate([context.split.parts, np.full(len(copies), "train")]),
        pixel_digests=dataset.digests,
        protocol="grouped",
        seed=context.split.seed,
        groups_are="none",
    )
    return replace(context, dataset=dataset, split=split)
