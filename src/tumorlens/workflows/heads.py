"""One entry for each kind of head on a pretrained network: which features it takes and how it is fitted.

An entry here adds a head to every command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tumorlens.datasets import Dataset, Split
from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.features import FeatureSet, View
from tumorlens.runtime import Head, head_logits
from tumorlens.training import (
    FittedHead,
    StoreSource,
    check_groups,
    fit_linear,
    fit_mlp,
    fit_mlp_by_group,
    fit_study_head,
)
from tumorlens.types import Features, Labels, Probabilities
from tumorlens.workflows.context import RunContext

__all__ = ["HEADS", "FoldFit", "HeadKind", "find_head", "head_probabilities", "row_probabilities"]

_ROWS_AT_ONCE = 256


class FoldFit(Protocol):
    """Fits a head on the scans outside a fold; what it chooses, it chooses by groups within them."""

    def __call__(
        self,
        features: Features,
        labels: Labels,
        groups: npt.NDArray[np.str_],
        *,
        n_classes: int,
        seed: int,
        threads: int | None,
    ) -> FittedHead:
        """Fit on ``(n, d)`` features, ``(n,)`` class indices and ``(n,)`` groups."""


@dataclass(frozen=True)
class HeadKind:
    """How one kind of head is fitted.

    Attributes:
        name: As on the command line.
        view: Which features it takes.
        extra: The extra it needs, or ``None``.
        fit: Fits it on cached features.
        check: Raises where a split cannot carry it, before any scan is looked at.
        fit_fold: Fits it in a cross-validation; ``None`` for heads that need one split.
    """

    name: str
    view: View
    extra: str | None
    fit: Callable[[RunContext, FeatureSet], FittedHead]
    check: Callable[[Dataset, Split, int], None]
    fit_fold: FoldFit | None


def find_head(name: str) -> HeadKind:
    """The kind of head called ``name``, once what it needs is there.

    Raises:
        InputError: There is none of that name.
        MissingExtraError: It needs an extra that is not installed.
    """
    if name not in HEADS:
        raise InputError(f"Expected --head {', '.join(HEADS)}, got {name!r}.")
    kind = HEADS[name]
    if kind.extra is not None:
        require_extra(kind.extra, purpose=f"--head {name}")
    return kind


def head_probabilities(context: RunContext, fitted: FittedHead, features: FeatureSet) -> Probabilities:
    """Probabilities of all rows, ``(n, k)`` float64, read from the store a few rows at a time."""
    parts = [
        row_probabilities(
            fitted.head, context.store.read(features.kind, features.digests[start : start + _ROWS_AT_ONCE])
        )
        for start in range(0, len(features.digests), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def row_probabilities(head: Head, features: Features) -> Probabilities:
    """Probabilities ``(n, k)`` float64 of ``(n, d)`` features."""
    logits = head_logits(head, features)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _rows_of(context: RunContext, features: FeatureSet, part: str) -> Features:
    return context.store.read(features.kind, [features.digests[row] for row in context.split.rows(part)])


def _check_groups(dataset: Dataset, split: Split, seed: int) -> None:
    rows = split.rows("train")
    check_groups(dataset.labels[rows], dataset.groups[rows], n_classes=len(dataset.classes), seed=seed)


def _check_nothing(dataset: Dataset, split: Split, seed: int) -> None:
    """Any split that was accepted will do."""


def _fit_linear(context: RunContext, features: FeatureSet) -> FittedHead:
    rows = context.split.rows("train")
    return fit_linear(
        _rows_of(context, features, "train"),
        context.dataset.labels[rows],
        context.dataset.groups[rows],
        n_classes=len(context.dataset.classes),
        seed=context.seed,
        threads=context.threads,
    )


def _fit_mlp(context: RunContext, features: FeatureSet) -> FittedHead:
    train, validation = context.split.rows("train"), context.split.rows("validation")
    return fit_mlp(
        _rows_of(context, features, "train"),
        context.dataset.labels[train],
        _rows_of(context, features, "validation"),
        context.dataset.labels[validation],
        n_classes=len(context.dataset.classes),
        seed=context.seed,
    )


def _fit_study(context: RunContext, features: FeatureSet) -> FittedHead:
    backbone = features.kind.backbone
    with context.training_folder(f"{context.dataset.name}-{context.split.protocol}-{backbone}-study") as folder:
        return fit_study_head(
            StoreSource(context.workspace.features, features.kind.prefix, features.digests),
            backbone=backbone,
            labels=context.dataset.labels,
            train_rows=context.split.rows("train"),
            val_rows=context.split.rows("validation"),
            n_classes=len(context.dataset.classes),
            folder=folder,
            seed=context.seed,
            threads=context.threads,
            progress=context.progress,
        )


HEADS: dict[str, HeadKind] = {
    kind.name: kind
    for kind in (
        HeadKind("linear", "pooled", None, _fit_linear, _check_groups, fit_linear),
        HeadKind("mlp", "pooled", None, _fit_mlp, _check_nothing, fit_mlp_by_group),
        HeadKind("study", "flat", "train", _fit_study, _check_nothing, None),
    )
}
"""Every kind of head by name."""
