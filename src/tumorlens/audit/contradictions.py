"""Scans whose label a model that saw neither them nor their group contradicts: a queue for a second look.

A contradiction is no proof of a wrong label; the model errs too, and its probabilities are not calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import Contradiction
from tumorlens.datasets import Dataset
from tumorlens.errors import InputError
from tumorlens.training import fit_linear
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["OutOfFold", "find_contradictions", "predict_out_of_fold"]

_LEAST_PROBABILITY = 0.9


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions of the default head for scans it was not trained on.

    Attributes:
        probabilities: ``(n, k)`` of every scan, from the fold that left its group out; uncalibrated.
        strength: Weight of the L2 term, chosen over the same folds.
    """

    probabilities: Probabilities = field(repr=False)
    strength: float


def predict_out_of_fold(
    features: Features,
    labels: Labels,
    groups: npt.NDArray[np.str_],
    *,
    n_classes: int,
    seed: int = 0,
    threads: int | None = None,
) -> OutOfFold:
    """Predict every scan by the default head under grouped folds.

    Args:
        features: ``(n, d)`` float32 pooled features of all scans.
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each scan.
        n_classes: Number of classes k.
        seed: Seed of the division into folds.
        threads: Folds fitted at the same time; ``None``: one a processor.

    Raises:
        InputError: There are too few groups of a class for folds that never split one.
    """
    fitted = fit_linear(features, labels, groups, n_classes=n_classes, seed=seed, threads=threads)
    assert fitted.out_of_fold is not None  # a linear head always has them
    return OutOfFold(fitted.out_of_fold, float(fitted.settings["strength"]))


def find_contradictions(
    dataset: Dataset,
    probabilities: Probabilities,
    *,
    least: float = _LEAST_PROBABILITY,
    most: int | None = None,
) -> tuple[Contradiction, ...]:
    """List the scans whose out-of-fold prediction contradicts their label with confidence.

    Args:
        dataset: The scans.
        probabilities: ``(n, k)`` out-of-fold, of every row.
        least: Smallest probability of the predicted class, 0..1.
        most: Longest list; ``None``: all.

    Returns:
        The most confident first; of copies the first only.

    Raises:
        InputError: There is not one row of probabilities for each scan.
    """
    expected = (len(dataset), len(dataset.classes))
    if probabilities.shape != expected:
        raise InputError(f"Expected probabilities of shape {expected}, got {probabilities.shape}.")
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(predicted)), predicted]
    first_copies = dataset.manifest["copy_of"].to_numpy() == -1
    rows = np.flatnonzero(first_copies & (predicted != dataset.labels) & (confidence >= least))
    ranked = rows[np.argsort(-confidence[rows], kind="stable")][:most]
    return tuple(
        Contradiction(
            row_id=int(row),
            label=dataset.classes[dataset.labels[row]],
            predicted=dataset.classes[predicted[row]],
            probability=float(confidence[row]),
        )
        for row in ranked
    )
