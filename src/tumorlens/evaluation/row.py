"""One row of the comparison: what it is about, its figures, and its form in JSON. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from tumorlens.errors import IntegrityError
from tumorlens.evaluation.bootstrap import Interval
from tumorlens.evaluation.metrics import ClassFigures
from tumorlens.evaluation.published import PublishedFigures

__all__ = ["ROW_KEYS", "Classifier", "GroupsAre", "Kind", "RowFigures", "best_on_validation"]

Kind: TypeAlias = Literal["backbone", "baseline", "scratch", "ensemble"]
GroupsAre: TypeAlias = Literal["patients", "clusters", "none"]


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """What a row is about.

    Attributes:
        kind: "backbone" (a pretrained network with a head), "baseline", "scratch" or "ensemble".
        backbone: Name of the network or baseline; "scratch" for the CNN from scratch, "ensemble" for an ensemble.
        head: Kind of head ("linear", "mlp", "study"), or "fine-tuned"; ``None`` where there is none.
        weights: Kind of weights ("imagenet", "file", "package", "random"); ``None`` where there are
            none.
        run: Name of the run's folder; ``None`` where nothing was kept.
        seconds: Time for features and training; ``None`` where not measured.
        peak_memory_mb: Largest resident memory; ``None`` where not measured.
        loss_penalty: The L2 term that training added to the loss; it is *not* in any loss here.
        note: One sentence to show with the row.
        mistake: The mistake that was made on purpose ("split", "scaling", "duplicates"); ``None`` for right rows.
        trained_from: First stage of a fine-tuned network that was trained, "all" for the whole; ``None`` for others.
        members: What each member of an ensemble counts, by run, with the sum 1; ``None`` for single models.
        precision: What the network computes in ("fp32", "int8"); ``None`` for baselines.
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
    mistake: str | None = None
    trained_from: str | None = None
    members: Mapping[str, float] | None = None
    precision: str | None = None


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
    published: PublishedFigures | None = None

    @property
    def name(self) -> str:
        """The run, or the baseline: what the row is called in differences."""
        return self.run or self.backbone

    def to_json(self) -> dict[str, Any]:
        """The row as in ``docs/json.md``: plain values, ``None`` where a figure does not exist."""
        row = asdict(self)
        first = [name for name in ROW_KEYS if name in row]
        return {name: row[name] for name in (*first, *(name for name in row if name not in ROW_KEYS))}

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
            raise IntegrityError(f"A row of the comparison is damaged ({error}): run the comparison again.") from error


ROW_KEYS = (
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
"""The keys of a row in JSON that are kept from version to version, in order; others may join them."""


def best_on_validation(rows: Iterable[RowFigures], *, by_loss: bool = False) -> RowFigures | None:
    """The row with the highest validation accuracy, the lower validation loss deciding ties.

    Baselines, collapsed rows, rows with a mistake made on purpose and rows without a validation part
    are left out; ``None`` when none remains. The test part plays no role.

    Args:
        rows: All rows.
        by_loss: Take the lowest validation loss instead: where thresholds were chosen for something else than accuracy.
    """
    scored = [
        ((-row.val_loss, row.val_accuracy) if by_loss else (row.val_accuracy, -row.val_loss), row)
        for row in rows
        if row.kind != "baseline" and not row.collapsed and row.mistake is None
        if row.val_accuracy is not None and row.val_loss is not None
    ]
    return max(scored, key=lambda entry: entry[0])[1] if scored else None


def _read_classes(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, ClassFigures]:
    return {name: ClassFigures(**values) for name, values in stored.items()}
