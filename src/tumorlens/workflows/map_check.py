"""A run's maps against those of the same model without what was learned; the outcome goes into the bundle.

At most :data:`MOST_SCANS` scans of the calibration part are looked at, of the validation part where that is empty: one
pass over them for the model, for each step of randomisation, and for the head on permuted labels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.errors import InputError
from tumorlens.explanation import class_evidence
from tumorlens.explanation.randomisation import MapCheck, check_maps
from tumorlens.features import FeatureSet
from tumorlens.runtime import CompiledGraph, Head, attach_head, compile_graph
from tumorlens.runtime.randomised_graphs import randomised_graph
from tumorlens.training import FittedHead, fit_linear
from tumorlens.types import Labels, Pixels
from tumorlens.workflows.context import RunContext

__all__ = ["MOST_SCANS", "check_run_maps", "fit_permuted_head", "permute_over_groups"]

MOST_SCANS = 24
"""How many scans are looked at."""

_SHARES = (0.25, 0.5, 0.75, 1.0)
_FEWEST_CELLS = 4  # fewer can hardly be ranked
_DRAWS = 20


def check_run_maps(
    context: RunContext, *, bundle_graph: Path, feature_graph: Path, permuted_head: Head | None
) -> dict[str, Any] | None:
    """The check as a bundle's card keeps it.

    Args:
        context: Data set and split.
        bundle_graph: The finished graph.
        feature_graph: The network without head.
        permuted_head: A head of the same kind on permuted labels, where one was fitted.

    Returns:
        :meth:`MapCheck.to_json`; ``None``: not checked, as there is no scan for it, the grid has fewer than four cells,
        or the run is a mistake on purpose.
    """
    rows = _chosen_rows(context)
    if context.mistake is not None or len(rows) == 0:
        return None
    with context.dataset.open_pixels() as pixels:
        scans = [pixels.get(context.dataset.digests[row]) for row in rows]
    model = compile_graph(bundle_graph, outputs=["map", "probabilities"], threads=context.threads)
    answers = [outputs for _, outputs in model.stream(enumerate(scans))]
    targets = [int(outputs["probabilities"][0].argmax()) for outputs in answers]
    real = [class_evidence(each["map"][0], target=target) for each, target in zip(answers, targets, strict=True)]
    if real[0].size < _FEWEST_CELLS:
        return None
    with context.progress.task("Checking the heatmaps", total=len(_SHARES)) as task:
        randomised = {}
        for share in _SHARES:
            graph = randomised_graph(bundle_graph, share=share, seed=context.seed)
            randomised[share] = _maps(_only_map(context, graph), scans, targets)
            task.advance()
    permuted = None
    if permuted_head is not None:
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "model.xml"
            attach_head(feature_graph, permuted_head, out=other)
            permuted = _maps(_only_map(context, other), scans, targets)
    check: MapCheck = check_maps(
        real,
        randomised=randomised,
        permuted_head=permuted,
        groups=context.dataset.groups[rows],
        unit=context.dataset.groups_are,
    )
    if not check.informative:
        context.progress.say(check.words)
    return check.to_json()


def fit_permuted_head(context: RunContext, features: FeatureSet, fitted: FittedHead) -> Head | None:
    """A linear head of the same strength on labels that mean nothing; ``None`` for other heads, or without one.

    Args:
        context: Data set, split and store.
        features: What the real head was fitted on.
        fitted: The real head.
    """
    if fitted.head.kind != "linear" or context.mistake is not None:
        return None
    rows = context.split.rows("train")
    labels = permute_over_groups(
        context.dataset.labels[rows], context.dataset.groups[rows], n_classes=len(context.dataset.classes)
    )
    if labels is None:
        return None
    try:
        return fit_linear(
            context.store.read(features.kind, [features.digests[row] for row in rows]),
            labels,
            context.dataset.groups[rows],
            n_classes=len(context.dataset.classes),
            seed=context.seed,
            strengths=(float(fitted.settings["strength"]),),
            threads=context.threads,
        ).head
    except InputError:  # these labels cannot be cross-validated over these groups
        return None


def permute_over_groups(
    labels: Labels, groups: npt.NDArray[np.str_], *, n_classes: int, seed: int = 0
) -> Labels | None:
    """The labels of one random scan a group, dealt out to the groups anew.

    Args:
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each scan.
        n_classes: Number of classes.
        seed: Same seed, same labels.

    Returns:
        ``(n,)`` labels, alike within a group; ``None`` where no draw gives every class two groups or more.
    """
    generator = np.random.default_rng(seed)
    names, codes = np.unique(groups, return_inverse=True)
    for _ in range(_DRAWS):
        drawn = np.array([generator.choice(labels[codes == code]) for code in range(len(names))])
        permuted = generator.permutation(drawn)
        if np.bincount(permuted, minlength=n_classes).min() >= 2:
            return permuted[codes].astype(np.int64)
    return None


def _chosen_rows(context: RunContext) -> npt.NDArray[np.int64]:
    """Rows of different scans, from as many groups as there are."""
    rows = context.split.rows("calibration")
    rows = rows if len(rows) else context.split.rows("validation")
    rows = np.random.default_rng(context.seed).permutation(rows)
    _, first = np.unique(context.dataset.digests[rows], return_index=True)
    rows = rows[np.sort(first)]
    place = pd.Series(context.dataset.groups[rows]).groupby(context.dataset.groups[rows]).cumcount().to_numpy()
    return rows[np.argsort(place, kind="stable")][:MOST_SCANS]


def _only_map(context: RunContext, graph: Any) -> CompiledGraph:
    return compile_graph(graph, outputs=["map"], threads=context.threads)


def _maps(graph: CompiledGraph, scans: Sequence[Pixels], targets: Sequence[int]) -> list[npt.NDArray[np.float32]]:
    streamed = graph.stream(enumerate(scans))
    return [class_evidence(outputs["map"][0], target=targets[place]) for place, outputs in streamed]
