"""How well trivial facts predict the label, one by one and together: what a network could use instead of disease.

Every answer is out of fold under grouped folds, so that a fact that merely names the patient gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from tumorlens.audit.fact_models import Answers, answer_out_of_fold, answers_from_all, answers_from_fact
from tumorlens.audit.facts import AREA, BRIGHTNESS, Fact, collect_facts
from tumorlens.audit.findings import Shortcut
from tumorlens.audit.intervals import accuracies
from tumorlens.audit.shortcut_words import shortcut_words
from tumorlens.datasets import Dataset
from tumorlens.evaluation import TRIVIAL_BASELINE, area_and_brightness, positive_index
from tumorlens.evaluation.metrics import predicted_classes, roc_auc
from tumorlens.progress import SILENT, Progress
from tumorlens.training.folds import grouped_folds
from tumorlens.types import Labels, Probabilities

__all__ = ["ALL_TOGETHER", "find_shortcuts"]

ALL_TOGETHER = "all together"
"""Name of the classifier that is given every fact."""


def find_shortcuts(
    dataset: Dataset, *, facts: Sequence[Fact] | None = None, seed: int = 0, progress: Progress = SILENT
) -> tuple[Shortcut, ...]:
    """Measure how well each trivial fact predicts the label, area with brightness, and all together.

    Args:
        dataset: The scans.
        facts: From :func:`~tumorlens.audit.facts.collect_facts`; gathered here if ``None``. Constant ones are passed
            over (:func:`~tumorlens.audit.facts.same_everywhere` names them).
        seed: Of folds and intervals.
        progress: Told about each fact.

    Returns:
        The most accurate first.

    Raises:
        InputError: There are too few groups of a class for folds that never split one.
    """
    labels = dataset.labels
    folds = grouped_folds(labels, dataset.groups, seed=seed)
    facts = collect_facts(dataset, progress=progress) if facts is None else facts
    classifiers = _classifiers([fact for fact in facts if not fact.constant], labels, n_classes=len(dataset.classes))
    answered: dict[str, Probabilities] = {}
    with (
        threadpool_limits(limits=1),  # threads lose more by waiting than they win on so few columns
        progress.task("Looking for shortcuts", total=len(classifiers)) as task,
    ):
        for name, answers in classifiers.items():
            answered[name] = answer_out_of_fold(answers, folds=folds)
            task.advance(note=name)
    return _rank(dataset, answered, seed=seed)


def _classifiers(varied: Sequence[Fact], labels: Labels, *, n_classes: int) -> dict[str, Answers]:
    named = {fact.name: fact for fact in varied}
    classifiers: dict[str, Answers] = {name: partial(answers_from_fact, fact, labels) for name, fact in named.items()}
    if AREA in named and BRIGHTNESS in named:
        area, brightness = (named[name].numbers[:, 0] for name in (AREA, BRIGHTNESS))
        classifiers[TRIVIAL_BASELINE] = partial(area_and_brightness, area, brightness, labels, n_classes=n_classes)
    if len(named) > 1:
        classifiers[ALL_TOGETHER] = partial(answers_from_all, varied, labels)
    return classifiers


def _rank(dataset: Dataset, answered: dict[str, Probabilities], *, seed: int) -> tuple[Shortcut, ...]:
    if not answered:
        return ()
    labels = dataset.labels
    majority = float(np.bincount(labels).max() / len(labels))
    right = np.stack([predicted_classes(probabilities) == labels for probabilities in answered.values()], axis=1)
    intervals = accuracies(right, groups=dataset.groups, unit=dataset.groups_are, seed=seed)
    positive = positive_index(dataset.classes, dataset.positive_class)
    areas = [roc_auc(labels, probabilities, positive=positive) for probabilities in answered.values()]
    shortcuts = [
        Shortcut(
            name=name,
            accuracy=found.accuracy,
            low=found.low,
            high=found.high,
            roc_auc=area,
            majority=majority,
            words=shortcut_words(name, found, roc_auc=area, majority=majority),
        )
        for name, area, found in zip(answered, areas, intervals, strict=True)
    ]
    return tuple(sorted(shortcuts, key=lambda shortcut: (-shortcut.accuracy, -(shortcut.roc_auc or 0))))
