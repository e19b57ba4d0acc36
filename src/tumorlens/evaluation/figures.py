"""One row of the comparison: every figure of one classifier, from its predictions for all scans.

Knows nothing about how the classifier was made; baselines, linear heads and networks pass through
the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tumorlens.errors import IntegrityError
from tumorlens.evaluation.bootstrap import (
    DEFAULT_DRAWS,
    DEFAULT_LEVEL,
    Auc,
    Interval,
    Mean,
    Resampling,
    Unit,
    bootstrap_intervals,
    resample_groups,
)
from tumorlens.evaluation.collapse import collapse_reason
from tumorlens.evaluation.metrics import (
    ClassFigures,
    accuracy,
    check_predictions,
    log_loss,
    per_class,
    positive_index,
    predicted_classes,
    roc_auc,
    scan_losses,
)
from tumorlens.evaluation.published import PublishedFigures
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["Classifier", "GroupsAre", "Kind", "RowFigures", "best_on_validation", "figures"]

Kind: TypeAlias = Literal["backbone", "baseline", "scratch"]
GroupsAre: TypeAlias = Literal["patients", "clusters", "none"]


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """What a row is about.

    Attributes:
        kind: "backbone" (a pretrained network with a head), "baseline" or "scratch".
        backbone: Name of the network or baseline; "scratch" for the CNN from scratch.
        head: Kind of head ("linear", "mlp", "study"); ``None`` where there is none.
        weights: Kind of weights ("imagenet", "file", "package", "random"); ``None`` where there are
            none.
        run: Name of the run's folder; ``None`` where nothing was kept.
        seconds: Time for features and training; ``None`` where not measured.
        peak_memory_mb: Largest resident memory; ``None`` where not measured.
        loss_penalty: The L2 term that training added to the loss; it is *not* in any loss here.
        note: One sentence to show with the row.
    """

    kind: Kind
    backbone: str
    head: str | None = None
    weights: str | None = None
    run: str | None = None
    seconds: float | None = None
    peak_memory_mb: float | None = None
    loss_penalty: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class RowFigures(Classifier):
    """One row of the comparison.

    Accuracies and areas are 0..1; losses are mean cross-entropy in nats, without penalty.

    Attributes:
        collapsed: Whether its figures mean nothing (one class only, or constant features); never
            for baselines.
        collapsed_because: Why, in words.
        train_accuracy: On the training part; ``None`` where the part is empty, here and below.
        val_accuracy: On the validation part.
        train_loss: On the training part.
        val_loss: On the validation part.
        test_accuracy: On the test part.
        test_accuracy_low: Lower end of its interval; ``None`` where there is none, here and below.
        test_accuracy_high: Upper end.
        test_loss: On the test part.
        test_loss_low: Lower end.
        test_loss_high: Upper end.
        test_roc_auc: Positive class, or macro one-versus-rest; ``None`` with one class in the test
            part.
        test_roc_auc_low: Lower end.
        test_roc_auc_high: Upper end.
        per_class: Test precision, recall, F1 and support by class, in class order.
        n_test: Scans in the test part.
        interval: How the accuracy's interval was made (level, method, groups, unit); ``None``
            without one.
        published: The original study's figures for the same network on the same scans.
    """

    collapsed: bool
    train_accuracy: float | None
    val_accuracy: float | None
    train_loss: float | None
    val_loss: float | None
    test_accuracy: float
    test_accuracy_low: float | None
    test_accuracy_high: float | None
    test_loss: float
    test_roc_auc: float | None
    test_roc_auc_low: float | None
    test_roc_auc_high: float | None
    per_class: Mapping[str, ClassFigures]
    test_loss_low: float | None = None
    test_loss_high: float | None = None
    collapsed_because: str | None = None
    n_test: int = 0
    interval: Interval | None = None
    published: PublishedFigures | None = field(default=None)

    def to_json(self) -> dict[str, Any]:
        """The row as in ``docs/json.md``: plain values, ``None`` where a figure does not exist."""
        row = asdict(self)
        first = [name for name in JSON_KEYS if name in row]
        return {
            name: row[name] for name in (*first, *(name for name in row if name not in JSON_KEYS))
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> RowFigures:
        """Read what :meth:`to_json` gave; keys of a newer version are left aside.

        Raises:
            IntegrityError: A key is missing or holds something else.
        """
        known = {entry.name for entry in fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        try:
            values["per_class"] = _read_classes(row["per_class"])
            if values.get("interval"):
                values["interval"] = Interval(**values["interval"])
            if values.get("published"):
                published = dict(values["published"])
                values["published"] = PublishedFigures(
                    **published | {"per_class": _read_classes(published["per_class"])}
                )
            return cls(**values)
        except (KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"A row of the comparison is damaged ({error}): run the comparison again."
            ) from error


JSON_KEYS = (
    "kind",
    "backbone",
    "head",
    "weights",
    "collapsed",
    "train_accuracy",
    "val_accuracy",
    "train_loss",
    "val_loss",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "test_loss",
    "test_roc_auc",
    "test_roc_auc_low",
    "test_roc_auc_high",
    "per_class",
    "seconds",
    "peak_memory_mb",
    "run",
)
"""The keys that are kept from version to version, in order; others may join them."""


def figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    parts: npt.NDArray[np.str_],
    groups: npt.NDArray[np.str_] | None,
    groups_are: GroupsAre,
    classes: Sequence[str],
    positive_class: str | None,
    classifier: Classifier,
    features: Features | None = None,
    published: PublishedFigures | None = None,
    draws: int = DEFAULT_DRAWS,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> RowFigures:
    """Compute every figure of one classifier.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        probabilities: ``(n, k)`` of all scans; rows outside training, validation and test may hold
            NaN.
        parts: ``(n,)`` "train", "validation", "calibration" or "test".
        groups: ``(n,)`` group of each scan; ``None`` without groups.
        groups_are: What a group is; "none": scans are drawn one by one.
        classes: The class names in order.
        positive_class: The class whose ROC area is given (two classes); the second when ``None``.
        classifier: What the row is about.
        features: ``(m, d)`` what the classifier was given, to find constant features; ``None``: not
            looked at.
        published: The original study's figures to stand beside these.
        draws: Bootstrap draws.
        level: Of the intervals, 0..1.
        seed: Of the bootstrap.

    Returns:
        The row.

    Raises:
        InputError: The test part is empty or the predictions cannot be used.
    """
    train, validation, test = (parts == part for part in ("train", "validation", "test"))
    train_accuracy, train_loss = _fit_figures(labels[train], probabilities[train])
    val_accuracy, val_loss = _fit_figures(labels[validation], probabilities[validation])
    check_predictions(labels[test], probabilities[test])
    unit: Unit = "scans" if groups_are == "none" else groups_are
    resampling = resample_groups(
        None if groups is None else groups[test],
        n_scans=int(test.sum()),
        unit=unit,
        draws=draws,
        seed=seed,
    )
    is_baseline = classifier.kind == "baseline"
    because = (
        None
        if is_baseline
        else collapse_reason(labels[test], probabilities[test], features=features)
    )
    return RowFigures(
        **asdict(classifier),
        collapsed=because is not None,
        collapsed_because=because,
        train_accuracy=train_accuracy,
        val_accuracy=val_accuracy,
        train_loss=train_loss,
        val_loss=val_loss,
        per_class=per_class(labels[test], probabilities[test], classes=classes),
        n_test=int(test.sum()),
        published=published,
        **_test_figures(
            labels[test],
            probabilities[test],
            positive=positive_index(classes, positive_class),
            resampling=resampling,
            level=level,
        ),
    )


def best_on_validation(rows: Iterable[RowFigures]) -> RowFigures | None:
    """The row with the highest validation accuracy, the lower validation loss deciding ties.

    Baselines, collapsed rows and rows without a validation part are left out; ``None`` when none
    remains. The test part plays no role.
    """
    scored = [
        (row.val_accuracy, -row.val_loss, row)
        for row in rows
        if row.kind != "baseline"
        and not row.collapsed
        and row.val_accuracy is not None
        and row.val_loss is not None
    ]
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None


def _fit_figures(labels: Labels, probabilities: Probabilities) -> tuple[float | None, float | None]:
    if not labels.size:
        return None, None
    check_predictions(labels, probabilities)
    return accuracy(labels, probabilities), log_loss(labels, probabilities)


def _test_figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    positive: int | None,
    resampling: Resampling | None,
    level: float,
) -> dict[str, Any]:
    area = roc_auc(labels, probabilities, positive=positive)
    values = {
        "test_accuracy": accuracy(labels, probabilities),
        "test_loss": log_loss(labels, probabilities),
    }
    intervals: dict[str, Interval | None] = {}
    if resampling is not None:
        codes = resampling.codes
        right = predicted_classes(probabilities) == labels
        statistics: dict[str, Any] = {
            "test_accuracy": (values["test_accuracy"], Mean(right, codes=codes)),
            "test_loss": (
                values["test_loss"],
                Mean(scan_losses(labels, probabilities), codes=codes),
            ),
        }
        if area is not None:
            targets = list(range(probabilities.shape[1])) if positive is None else [positive]
            is_target = labels[:, None] == np.asarray(targets)
            statistics["test_roc_auc"] = (
                area,
                Auc(probabilities[:, targets], is_target, codes=codes),
            )
        intervals = bootstrap_intervals(statistics, resampling=resampling, level=level)
    found: dict[str, Any] = {
        **values,
        "test_roc_auc": area,
        "interval": intervals.get("test_accuracy"),
    }
    for name in ("test_accuracy", "test_loss", "test_roc_auc"):
        interval = intervals.get(name)
        found[f"{name}_low"] = interval.low if interval else None
        found[f"{name}_high"] = interval.high if interval else None
    return found


def _read_classes(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, ClassFigures]:
    return {name: ClassFigures(**values) for name, values in stored.items()}
