"""The rows of a cross-validated comparison: baselines and networks through the same folds and the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation import (
    TRIVIAL_BASELINE,
    Classifier,
    CrossValidatedFigures,
    Difference,
    adjust_holm,
    cross_validated_figures,
    paired_difference,
)
from tumorlens.features import extract_features
from tumorlens.reports import RANDOM_WEIGHTS
from tumorlens.types import Features
from tumorlens.workflows.fit import Network
from tumorlens.workflows.fold_context import FoldContext
from tumorlens.workflows.fold_fits import OutOfFold, fit_baseline_folds, fit_head_folds
from tumorlens.workflows.fold_store import CrossValidationConfig, FinishedRow, find_finished_row, write_finished_row
from tumorlens.workflows.heads import FoldFit, HeadKind
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.trained_networks import ROWS_FOR_SPREAD

__all__ = ["baseline_fold_rows", "fold_differences", "network_fold_rows"]


def baseline_fold_rows(context: FoldContext) -> list[FinishedRow]:
    """Both baselines, through the same folds and figures as a network."""
    return [
        FinishedRow(_figures(context, predictions, Classifier(kind="baseline", backbone=name)), predictions, (), name)
        for name, predictions in fit_baseline_folds(context).items()
    ]


def network_fold_rows(
    context: FoldContext, network: Network, heads: Sequence[tuple[HeadKind, FoldFit]]
) -> list[FinishedRow]:
    """Cross-validate heads on a frozen network's features, or find the finished cross-validations that did just this.

    Args:
        context: Data set, folds and workspace.
        network: The network.
        heads: Kinds of heads, each with how it is fitted on the scans outside a fold.
    """
    rows = []
    for head, fit in heads:
        config = _config(context, network, head)
        found = None if context.refit else find_finished_row(context.workspace, config, context.dataset.classes)
        if found is not None:
            context.progress.say(f"{_title(network, head)}: cross-validated earlier, nothing to compute.")
        rows.append(found or _cross_validate(context, network, head, fit, config=config))
    return rows


def fold_differences(context: FoldContext, rows: Sequence[FinishedRow]) -> tuple[Difference, ...]:
    """Every two networks against each other, then every network against area and brightness.

    Labels are those of the averaged out-of-fold probabilities. No row is singled out as best beforehand, because only
    these same predictions could single it out; p-values are adjusted for the number of differences. Collapsed rows are
    left out.
    """
    dataset = context.dataset
    right: dict[str, npt.NDArray[np.bool_]] = {
        one.row.name: one.predictions.averaged.argmax(axis=1) == dataset.labels for one in rows
    }
    judged = [one.row.name for one in rows if one.row.kind != "baseline" and not one.row.collapsed]
    pairs = [*combinations(judged, 2), *((name, TRIVIAL_BASELINE) for name in judged)]
    found = [
        paired_difference(
            right[first],
            right[second],
            names=(first, second),
            groups=dataset.groups,
            unit="scans" if dataset.groups_are == "none" else dataset.groups_are,
            seed=context.seed,
        )
        for first, second in pairs
    ]
    if any(difference.p is None for difference in found):  # too few groups, and so for all of them
        return tuple(found)
    adjusted = adjust_holm([difference.p for difference in found if difference.p is not None])
    return tuple(replace(difference, p_adjusted=p) for difference, p in zip(found, adjusted, strict=True))


def _cross_validate(
    context: FoldContext, network: Network, head: HeadKind, fit: FoldFit, *, config: CrossValidationConfig
) -> FinishedRow:
    with ResourceMeter(after=network.conversion) as meter:
        features = extract_features(
            context.dataset,
            network.graph,
            context.store,
            views=(head.view,),
            threads=context.threads,
            progress=context.progress,
        )[head.view]
        predictions = fit_head_folds(context, fit, features, title=f"{_title(network, head)}: folds")
        classifier = Classifier(
            kind="backbone",
            backbone=network.spec.name,
            head=head.name,
            weights=network.weights.kind,
            note=network.note,
        )
        some = context.store.read(features.kind, features.digests[:ROWS_FOR_SPREAD])
        row = _figures(context, predictions, classifier, features=some)
        meter.look()
    measured = replace(row, seconds=round(meter.seconds, 2), peak_memory_mb=round(meter.peak_memory_mb))
    marks = (RANDOM_WEIGHTS,) if network.weights.kind == "random" else ()
    finished = FinishedRow(measured, predictions, marks, config.digest)
    write_finished_row(context, config, finished)
    return finished


def _figures(
    context: FoldContext, predictions: OutOfFold, classifier: Classifier, *, features: Features | None = None
) -> CrossValidatedFigures:
    dataset = context.dataset
    return cross_validated_figures(
        dataset.labels,
        predictions.probabilities,
        folds=context.folds.of_row,
        strengths=predictions.strengths,
        groups=dataset.groups,
        groups_are=dataset.groups_are,
        classes=dataset.classes,
        positive_class=dataset.positive_class,
        classifier=classifier,
        features=features,
        seed=context.seed,
    )


def _config(context: FoldContext, network: Network, head: HeadKind) -> CrossValidationConfig:
    return CrossValidationConfig(
        dataset=context.dataset.name,
        manifest_digest=context.dataset.digest,
        folds_digest=context.folds.digest,
        folds=context.folds.folds,
        repeats=context.folds.repeats,
        backbone=network.spec.name,
        head=head.name,
        weights=network.weights.kind,
        weights_digest=network.graph.weights_digest,
        graph_digest=network.graph.digest,
        size=network.graph.size,
        seed=context.seed,
        tumorlens=version("tumorlens"),
    )


def _title(network: Network, head: HeadKind) -> str:
    return f"{network.spec.title}, {head.name} head"
