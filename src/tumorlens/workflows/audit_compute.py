"""The steps of an audit in their order; each that the data do not allow leaves a note and an empty place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from tumorlens.audit.conflicts import label_conflicts
from tumorlens.audit.contradictions import OutOfFold, find_contradictions, predict_out_of_fold
from tumorlens.audit.facts import collect_facts, same_everywhere
from tumorlens.audit.findings import Audit, LeakageCurve, Shortcut, SplitLeaks, Twin
from tumorlens.audit.leaks import leaks_against, published_leaks, split_leaks
from tumorlens.audit.odd import odd_scans
from tumorlens.audit.price import price_of_leakage
from tumorlens.audit.shortcuts import find_shortcuts
from tumorlens.audit.twins import find_scan_twins, summarise_twins
from tumorlens.datasets import short_check
from tumorlens.features import FeatureStore, extract_features
from tumorlens.types import Features
from tumorlens.workflows.audit_settings import AuditContext
from tumorlens.workflows.splits import prepare_split

__all__ = ["compute_audit"]


def compute_audit(context: AuditContext) -> Audit:
    """Run every step of an audit.

    Args:
        context: The scans and what they are looked at with.

    Returns:
        What was found; notes say what could not be looked at.
    """
    dataset, steps, progress = context.dataset, context.steps, context.progress
    check = short_check(dataset)
    pairs = steps.do("twins", lambda: find_scan_twins(dataset, progress=progress))
    twins = steps.do("clusters", lambda: summarise_twins(dataset, pairs))
    leaks = _leaks(context, pairs)
    conflicts = steps.do("label conflicts", lambda: label_conflicts(dataset, pairs))
    against = {
        name: steps.do(f"against {name}", partial(leaks_against, dataset, other, progress=progress))
        for name, other in context.others.items()
    }
    shortcuts = steps.run("shortcuts", lambda: _shortcuts(context), otherwise=())
    features = _features(context)
    odd = steps.run("odd ones", lambda: odd_scans(dataset, features=features, progress=progress), otherwise=())
    predictions = _predict(context, features)
    leakage = _price(context, features, predictions, pairs)
    return Audit(
        dataset=dataset.name,
        digest=dataset.digest,
        synthetic=dataset.synthetic,
        scans=check.scans,
        distinct=check.distinct,
        groups=check.groups,
        groups_are=check.groups_are,
        by_class=check.by_class,
        twins=twins,
        leaks=leaks,
        against=against,
        shortcuts=shortcuts,
        leakage=leakage,
        label_conflicts=conflicts,
        contradictions=() if predictions is None else find_contradictions(dataset, predictions.probabilities),
        odd=odd,
        notes=tuple(steps.notes),
        seconds=dict(steps.seconds),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        predicted_by=None if context.network is None or predictions is None else context.network.spec.name,
    )


def _leaks(context: AuditContext, pairs: Sequence[Twin]) -> tuple[SplitLeaks, ...]:
    """Of the split that came with the data, then of the one that tumorlens makes."""

    def own() -> SplitLeaks:
        split = prepare_split(context.dataset, protocol="grouped", seed=context.seed)
        return split_leaks(context.dataset, split, pairs)

    published = context.steps.do("published split", lambda: published_leaks(context.dataset, pairs))
    grouped = context.steps.run("grouped split", own, otherwise=None)
    return tuple(leaks for leaks in (published, grouped) if leaks is not None)


def _shortcuts(context: AuditContext) -> tuple[Shortcut, ...]:
    facts = collect_facts(context.dataset, progress=context.progress)
    constant = same_everywhere(facts)
    if constant is not None:
        context.steps.notes.append(constant)
    return find_shortcuts(context.dataset, facts=facts, seed=context.seed, progress=context.progress)


def _features(context: AuditContext) -> Features | None:
    """Pooled features of every row; computed where they are not cached."""
    network = context.network
    if network is None:
        return None

    def read() -> Features:
        with FeatureStore(context.workspace.features) as store:
            found = extract_features(
                context.dataset, network.graph, store, threads=context.threads, progress=context.progress
            )
            return found["pooled"].matrix(store)

    return context.steps.do("features", read)


def _predict(context: AuditContext, features: Features | None) -> OutOfFold | None:
    """Predictions for every scan by a model that saw neither it nor its group."""
    if features is None:
        return None
    dataset = context.dataset
    return context.steps.run(
        "predictions out of fold",
        lambda: predict_out_of_fold(
            features,
            dataset.labels,
            dataset.groups,
            n_classes=len(dataset.classes),
            seed=context.seed,
            threads=context.threads,
        ),
        otherwise=None,
    )


def _price(
    context: AuditContext, features: Features | None, predictions: OutOfFold | None, pairs: Sequence[Twin]
) -> LeakageCurve | None:
    network = context.network
    if features is None or network is None or predictions is None:
        return None
    leakage = context.steps.run(
        "price of leakage",
        lambda: price_of_leakage(
            context.dataset,
            features,
            backbone=network.spec.name,
            strength=predictions.strength,
            twins=pairs,
            seed=context.seed,
            progress=context.progress,
        ),
        otherwise=None,
    )
    scans = len(context.dataset)
    if leakage is not None and leakage.judged_scans is not None and leakage.judged_scans < scans:
        context.steps.notes.append(
            f"Price of leakage: computed on {leakage.judged_scans:,} of {scans:,} scans, whole groups chosen at random."
        )
    return leakage
