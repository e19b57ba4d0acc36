"""One trial of a search, of either kind: fitted on the training part, judged by log loss on the validation part."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.evaluation.metrics import log_loss
from tumorlens.features import FeatureStore, extract_features, feature_kind
from tumorlens.training import EpochRecord, Place, recipe_of, views_of
from tumorlens.workflows.fine_tune import FineTuneSettings, train_network
from tumorlens.workflows.heads import HEADS, row_probabilities
from tumorlens.workflows.search_ground import Ground, rows_of

__all__ = ["fine_tune_settings", "missing_features", "params_digest", "probe_seconds", "try_frozen", "try_tuned"]

_PROBE_SCANS = 32


def try_frozen(ground: Ground, params: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
    """Fit a head on cached features; those that are missing are computed first.

    Args:
        ground: Scans and networks.
        params: Of the stage on cached features.

    Returns:
        Log loss on the validation part, nats, and what was measured: vectors ``computed``, ``feature_seconds``,
        ``head_seconds``.
    """
    place, head = Place.of(params), HEADS[params["head"]]
    context, network = ground.context(place), ground.network(place)
    started = time.monotonic()
    features = extract_features(
        context.dataset,
        network.graph,
        context.store,
        views=(head.view,),
        threads=context.threads,
        progress=context.progress,
    )[head.view]
    extracted = time.monotonic()
    fitted = head.fit(context, features)
    rows = context.split.rows("validation")
    vectors = context.store.read(features.kind, [features.digests[row] for row in rows])
    loss = log_loss(context.dataset.labels[rows], row_probabilities(fitted.head, vectors))
    facts = {
        "computed": features.computed,
        "feature_seconds": round(extracted - started, 3),
        "head_seconds": round(time.monotonic() - extracted, 3),
    }
    return loss, facts


def try_tuned(
    ground: Ground, params: Mapping[str, Any], *, folder: Path, on_epoch: Callable[[EpochRecord], None]
) -> float:
    """Fine-tune, or go on with a fine-tuning that was stopped.

    Args:
        ground: Scans and networks.
        params: Of the stage that fine-tunes.
        folder: Where the state is kept.
        on_epoch: Given each epoch's record as it comes; what it raises ends the training.

    Returns:
        Log loss on the validation part after the epoch that was kept, nats.
    """
    place = Place.of(params)
    folder.mkdir(parents=True, exist_ok=True)
    fitted = train_network(
        ground.context(place), ground.network(place), fine_tune_settings(params), folder=folder, on_epoch=on_epoch
    )
    return next(
        record.val_cross_entropy for record in fitted.history if isinstance(record, EpochRecord) and record.kept
    )


def fine_tune_settings(params: Mapping[str, Any]) -> FineTuneSettings:
    """The settings of ``train --fine-tune`` that a trial stands for."""
    views = views_of(params)
    return FineTuneSettings(
        fine_tune=params["stage"],
        views=views,
        augmentation=params["augmentation"] if views else "none",
        recipe=recipe_of(params),
    )


def params_digest(params: Mapping[str, Any]) -> str:
    """A short name for a trial's folder."""
    return hashlib.sha256(json.dumps(dict(params), sort_keys=True).encode()).hexdigest()[:16]


def missing_features(ground: Ground, place: Place) -> int:
    """How many scans have no pooled features there yet."""
    context = ground.context(place)
    kind = feature_kind(context.dataset, ground.network(place).graph, "pooled")
    return len(context.store.missing(kind, context.dataset.digests.tolist()))


def probe_seconds(ground: Ground, place: Place) -> float:
    """Measure what a scan takes in a network, on a few scans and without keeping anything."""
    context, graph = ground.context(place), ground.network(place).graph
    rows = np.arange(min(_PROBE_SCANS + 1, len(context.dataset)))
    seconds = []
    with context.training_folder(f"probe-{place.backbone}-{place.size}") as folder, FeatureStore(folder) as store:
        for some in (rows[:1], rows[1:]):  # the first pass is for what does not grow with the scans
            started = time.monotonic()
            extract_features(rows_of(context.dataset, some), graph, store, threads=context.threads)
            seconds.append(time.monotonic() - started)
    return max(seconds[1] - seconds[0], 0.1 * seconds[1]) / max(len(rows) - 1, 1)
