"""What every kind of training gives back: a head, its history, its settings.

Knows nothing about how it was fitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tumorlens.runtime.heads import Head
from tumorlens.types import Probabilities

__all__ = ["EpochRecord", "FittedHead", "FittedNetwork", "PathRecord", "mark_kept"]


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One pass over the training rows.

    Attributes:
        epoch: Counted from 1.
        train_loss: What was minimised, L2 term included; nats a scan. For heads trained in Keras it
            is the running mean over the epoch's batches, as Keras prints it.
        train_cross_entropy: The same without the L2 term.
        train_accuracy: Share in 0..1, over the same passes as ``train_loss``.
        val_loss: Loss on the validation rows after the epoch, L2 term included.
        val_cross_entropy: The same without the L2 term.
        val_accuracy: Share in 0..1.
        kept: Whether the weights after this epoch are those of the result.
    """

    epoch: int
    train_loss: float
    train_cross_entropy: float
    train_accuracy: float
    val_loss: float
    val_cross_entropy: float
    val_accuracy: float
    kept: bool = False


def mark_kept(history: Iterable[EpochRecord], epoch: int) -> list[EpochRecord]:
    """The same history where ``epoch`` is the one whose weights were kept."""
    return [replace(record, kept=record.epoch == epoch) for record in history]


@dataclass(frozen=True, kw_only=True)
class PathRecord:
    """One strength on the regularisation path of a linear head.

    Attributes:
        strength: Weight of the L2 term beside the mean cross-entropy (scikit-learn's ``1 / (n
            C)``).
        cv_loss: Cross-entropy of the held-out rows, mean over scans; nats.
        cv_loss_spread: Standard deviation of the loss between folds.
        cv_accuracy: Share of held-out rows classified correctly, 0..1.
        cv_accuracy_spread: Standard deviation of the accuracy between folds.
        chosen: Whether the head was fitted with this strength.
    """

    strength: float
    cv_loss: float
    cv_loss_spread: float
    cv_accuracy: float
    cv_accuracy_spread: float
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class FittedHead:
    """A trained head and how it came about.

    Attributes:
        head: Acts on raw features: any standardisation is folded into its weights.
        history: Epochs, or for a linear head the regularisation path from strong to weak.
        settings: Everything needed to train it again; plain values that TOML and JSON can hold.
        penalty: The L2 term of the kept weights, nats. It is part of the published study's losses.
            0 for a linear head, whose losses are reported without it.
        out_of_fold: ``(n, k)`` probabilities of the training rows, each from the fold that left its
            group out; ``None`` where training has no folds.
    """

    head: Head
    history: tuple[EpochRecord, ...] | tuple[PathRecord, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    penalty: float = 0.0
    out_of_fold: Probabilities | None = None

    def history_rows(self) -> list[dict[str, Any]]:
        """The history as one plain dictionary a row, for a CSV file or a plot."""
        return [asdict(record) for record in self.history]


@dataclass(frozen=True, kw_only=True)
class FittedNetwork(FittedHead):
    """A network that was trained itself, from scratch or further: its body and the head that acts on the body's maps.

    Attributes:
        body: A ``.keras`` file: input ``pixels`` float32 ``(n, size, size, 3)`` in 0..255, output
            of layer ``map``.
        size: Height and width of the body's input, pixels.
        events: Folder of what TensorBoard reads.
    """

    body: Path
    size: int
    events: Path
