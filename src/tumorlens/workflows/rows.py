"""The figures of one classifier on a context's split: one call for baselines, networks and the CNN from scratch."""

from __future__ import annotations

from tumorlens.evaluation import (
    Classifier,
    PublishedFigures,
    RowFigures,
    figures,
    published_figures,
)
from tumorlens.types import Features, Labels, Probabilities
from tumorlens.workflows.context import RunContext

__all__ = ["row_figures"]

_STUDY_ROWS = 3762
_STUDY_TEST_SUPPORT = (419, 334)


def row_figures(
    context: RunContext,
    probabilities: Probabilities,
    classifier: Classifier,
    *,
    features: Features | None = None,
    predicted: Labels | None = None,
) -> RowFigures:
    """Every figure of a classifier, with the study's own beside it on the study's own test images.

    Args:
        context: Data set and split.
        probabilities: ``(n, k)`` of all rows of the data set.
        classifier: What the row is about.
        features: ``(m, d)`` what the classifier was given; ``None``: not looked at.
        predicted: ``(n,)`` the labels decided on; by default the class with the largest probability.
    """
    dataset = context.dataset
    return figures(
        dataset.labels,
        probabilities,
        predicted=predicted,
        parts=context.split.parts,
        groups=dataset.groups,
        groups_are=dataset.groups_are,
        classes=dataset.classes,
        positive_class=dataset.positive_class,
        classifier=classifier,
        features=features,
        published=_published(context, classifier),
        seed=context.seed,
    )


def _published(context: RunContext, classifier: Classifier) -> PublishedFigures | None:
    """The study's figures for the same network, only where the test part is the study's own."""
    if context.split.protocol != "study" or len(context.dataset.manifest) != _STUDY_ROWS:
        return None
    labels = context.dataset.labels[context.split.rows("test")]
    support = tuple(int((labels == code).sum()) for code in range(len(context.dataset.classes)))
    if support != _STUDY_TEST_SUPPORT:
        return None
    return published_figures(kind=classifier.kind, backbone=classifier.backbone)
