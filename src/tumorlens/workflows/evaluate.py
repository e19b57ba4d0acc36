"""Figures of a finished model: on the test part of its own data set, or on another data set.

On its own data set the stored predictions of the run are used (with several views of each scan: new ones) and the
opening of the test part is counted. On any other the scans go through the bundle's graph, and those the model was made
with are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tumorlens.bundles import BundleCard, decide, fixed_views, views_words
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.errors import InputError
from tumorlens.evaluation import Summary, check_prevalence, summarise
from tumorlens.evaluation.small_groups import FEW_GROUPS
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import SYNTHETIC
from tumorlens.types import Labels, Probabilities
from tumorlens.workflows.evaluation_groups import JudgedLabels, check_columns, find_by_group
from tumorlens.workflows.evaluation_labels import map_classes
from tumorlens.workflows.evaluation_maps import check_masks, score_heatmaps
from tumorlens.workflows.evaluation_model import EvaluatedModel, find_model
from tumorlens.workflows.evaluation_result import Evaluation
from tumorlens.workflows.evaluation_rules import judge_rules
from tumorlens.workflows.evaluation_scans import JudgedScans, own_test_part, unseen_scans
from tumorlens.workflows.ledger import count_openings, record_opening
from tumorlens.workflows.prepared_scans import own_scans
from tumorlens.workflows.runs import RunRecord
from tumorlens.workspace import Workspace

__all__ = ["EvaluateSettings", "evaluate_model"]

_EXTERNAL = (
    "Another data set than the model's own: the figures mix changes of label definition, sequence and population, and "
    "cannot tell them apart."
)


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """How a model is evaluated.

    Attributes:
        label_map: The model's class to the data set's class or classes; the rest goes by name.
        prevalence: Share of the positive class for which predictive values are given too.
        seed: Of the bootstrap.
        by: Columns of the manifest by whose levels figures are given too.
        heatmaps: Whether heatmaps are scored on the data set's lesion masks too.
        views: Over how many fixed views of each scan probabilities are averaged.
    """

    label_map: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    prevalence: float | None = None
    seed: int = 0
    by: Sequence[str] = ()
    heatmaps: bool = False
    views: int = 1


def evaluate_model(
    model: str,
    dataset: Dataset | str,
    settings: EvaluateSettings | None = None,
    *,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Evaluation:
    """Compute all figures of a model on a data set.

    Args:
        model: Bundle folder, run folder or name of a run.
        dataset: A data set or its name.
        settings: How; by default labels go by name.
        workspace: Where runs and data sets lie.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Raises:
        NotFoundError: There is no such model or data set.
        InputError: Labels, pixels, prevalence or columns do not fit, or there are no such views.
        IntegrityError: Bundle, run or data set are damaged.
    """
    settings = settings or EvaluateSettings()
    fixed_views(settings.views)  # a bad number is refused before anything is opened
    found = find_model(model, workspace=workspace)
    scans = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    scans = own_scans(
        scans,
        manifest_digest=found.card.manifest_digest,
        scan_steps=found.card.scan_steps,
        workspace=workspace,
        progress=progress,
    )
    own = found.trained_on(scans)
    if own and found.run is None:
        raise InputError(
            f"The bundle {found.card.name} was trained on {scans.name!r}, and its run, which knows the test part, is "
            "not in this workspace: evaluate the run, or the bundle on another data set."
        )
    classes = map_classes(found.card.labels, scans.classes, label_map=settings.label_map)
    check_prevalence(settings.prevalence, n_classes=len(found.card.labels))  # before anything is opened or predicted
    check_columns(scans, settings.by)
    if settings.heatmaps:
        check_masks(found, scans)
    if own:
        judged = own_test_part(
            found, scans, workspace=workspace, views=settings.views, threads=threads, progress=progress
        )
        notes = _opened(found, scans, workspace=workspace, views=settings.views)
    else:
        judged = unseen_scans(
            found, scans, workspace=workspace, views=settings.views, threads=threads, progress=progress
        )
        notes = (_EXTERNAL, *_absent(found.card, classes), *_met_again(found, scans, judged, workspace=workspace))
    labels = _judged_labels(found.card, scans, judged, classes=classes)
    summary = _summary(labels, scans, settings=settings)
    rules = judge_rules(
        found.card,
        labels.labels,
        labels.probabilities,
        labels.predicted,
        novelty=judged.novelty,
        one_view=judged.one_view,
        groups=scans.groups[judged.rows],
        unit="scans" if scans.groups_are == "none" else scans.groups_are,
        seed=settings.seed,
    )
    by_group = find_by_group(
        scans,
        labels,
        decide=partial(_decided, found.card),
        by=settings.by,
        prevalence=settings.prevalence,
        seed=settings.seed,
    )
    return Evaluation(
        card=found.card,
        dataset=scans.name,
        external=not own,
        summary=summary,
        rules=rules,
        in_training=judged.in_training,
        near_twins=judged.near_twins,
        by_group=by_group,
        heatmaps=score_heatmaps(found, scans, labels, threads=threads, progress=progress)
        if settings.heatmaps
        else None,
        views=judged.cost,
        notes=(*notes, *_viewed(settings.views), *judged.notes, *_few(summary), *by_group.notes),
        marks=tuple(dict.fromkeys((*found.card.marks, *((SYNTHETIC,) if scans.synthetic else ())))),
        use=found.card.use,
    )


def _judged_labels(
    card: BundleCard, dataset: Dataset, judged: JudgedScans, *, classes: Mapping[str, str]
) -> JudgedLabels:
    """The judged scans in the model's class order, with the labels that it decides on."""
    codes = np.array([card.labels.index(classes[name]) for name in dataset.classes], np.int64)
    point = card.operating_point
    return JudgedLabels(
        rows=judged.rows,
        labels=codes[dataset.labels[judged.rows]],
        probabilities=judged.probabilities,
        predicted=_decided(card, judged.probabilities),
        classes=card.labels,
        positive_class=None if point is None else point.positive_class,
    )


def _summary(judged: JudgedLabels, dataset: Dataset, *, settings: EvaluateSettings) -> Summary:
    return summarise(
        judged.labels,
        judged.probabilities,
        predicted=judged.predicted,
        groups=dataset.groups[judged.rows],
        groups_are=dataset.groups_are,
        classes=judged.classes,
        positive_class=judged.positive_class,
        prevalence=settings.prevalence,
        seed=settings.seed,
    )


def _decided(card: BundleCard, probabilities: Probabilities) -> Labels:
    """``(n,)`` the labels by the bundle's own rule."""
    answers = [
        decide(card.labels, card.operating_point, dict(zip(card.labels, row, strict=True)))
        for row in probabilities.tolist()
    ]
    return np.array([card.labels.index(answer) for answer in answers], np.int64)


def _met_again(
    model: EvaluatedModel, dataset: Dataset, judged: JudgedScans, *, workspace: Workspace
) -> tuple[str, ...]:
    """Where scans of the model's own test part came under another name, that is an opening of it too."""
    if not judged.own_test or model.run is None:
        return ()
    openings = _record(model.run, dataset, workspace)
    return (
        f"{judged.own_test} of these scans are of the model's own test part, which was opened {openings} time(s) in "
        "this workspace.",
    )


def _record(run: RunRecord, dataset: Dataset, workspace: Workspace) -> int:
    """Note an opening of a run's test part, and count them."""
    record_opening(
        workspace, dataset=dataset.name, split_digest=run.split_digest, run=run.name, mistake=run.row.mistake
    )
    return count_openings(workspace, run.split_digest)


def _opened(model: EvaluatedModel, dataset: Dataset, *, workspace: Workspace, views: int) -> tuple[str, ...]:
    assert model.run is not None
    openings = _record(model.run, dataset, workspace)
    by = "the predictions kept in the run" if views == 1 else "new predictions"
    return (
        f"The model's own data set: figures on its test part, by {by}. The test part was opened {openings} time(s) in "
        "this workspace.",
    )


def _viewed(views: int) -> tuple[str, ...]:
    return () if views == 1 else (views_words(views),)


def _absent(card: BundleCard, classes: Mapping[str, str]) -> tuple[str, ...]:
    absent = [label for label in card.labels if label not in classes.values()]
    return (f"No class here stands for {', '.join(absent)}.",) if absent else ()


def _few(summary: Summary) -> tuple[str, ...]:
    clusters = (
        ("Clusters are not patients: figures for new patients may be lower, and intervals wider.",)
        if summary.groups_are == "clusters"
        else ()
    )
    if summary.n_groups >= FEW_GROUPS:
        return clusters
    return (
        *clusters,
        f"Only {summary.n_groups} {summary.groups_are if summary.groups_are != 'none' else 'scans'}: intervals of "
        "figures other than shares of scans and losses are too narrow.",
    )
