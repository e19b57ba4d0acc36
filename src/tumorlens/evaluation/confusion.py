r"""Figures of a confusion matrix, for a stack of matrices at once: reference label down, predicted class across.

A figure whose denominator is empty is NaN here, never 0. Knows nothing about groups or draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.group_sums import divided

__all__ = [
    "CLASS_FIGURES",
    "balanced_accuracy",
    "class_figure",
    "class_weights",
    "macro",
    "matthews",
    "predictive_values",
]

Matrices = npt.NDArray[np.float64]

CLASS_FIGURES = ("sensitivity", "specificity", "ppv", "npv", "f1")
"""Figures of one class against the rest."""


def class_weights(name: str, target: int, *, n_classes: int) -> tuple[Matrices, Matrices]:
    """Which cells stand in numerator and denominator of a class' figure, ``(k, k)`` float64 each.

    Args:
        name: One of :data:`CLASS_FIGURES`.
        target: Index of the class; all others together are the rest.
        n_classes: k.
    """
    has, given = np.zeros((n_classes, n_classes)), np.zeros((n_classes, n_classes))
    has[target] = 1.0
    given[:, target] = 1.0
    hit, passed = has * given, (1.0 - has) * (1.0 - given)
    return {
        "sensitivity": (hit, has),
        "specificity": (passed, 1.0 - has),
        "ppv": (hit, given),
        "npv": (passed, 1.0 - given),
        "f1": (2.0 * hit, has + given),
    }[name]


def class_figure(matrices: Matrices, name: str, target: int) -> Matrices:
    """``(...)``: a class' figure from ``(..., k, k)`` counts; NaN where its denominator is empty."""
    top, bottom = class_weights(name, target, n_classes=matrices.shape[-1])
    return divided((matrices * top).sum(axis=(-2, -1)), (matrices * bottom).sum(axis=(-2, -1)))


def macro(matrices: Matrices, name: str) -> Matrices:
    """``(...)``: the mean of a figure over the classes for which it is defined; NaN where it is for none."""
    each = np.stack([class_figure(matrices, name, target) for target in range(matrices.shape[-1])])
    return divided(np.nansum(each, axis=0), (~np.isnan(each)).sum(axis=0).astype(np.float64))


def balanced_accuracy(matrices: Matrices) -> Matrices:
    """``(...)``: the mean sensitivity of the classes that occur, 0..1."""
    return macro(matrices, "sensitivity")


def matthews(matrices: Matrices) -> Matrices:
    """``(...)``: Matthews' correlation, -1..1, of any number of classes.

    Gorodkin, Comput. Biol. Chem. 28 (2004) 367-374. NaN where only one class occurs or only one is predicted.
    """
    total = matrices.sum(axis=(-2, -1))
    has, given = matrices.sum(axis=-1), matrices.sum(axis=-2)
    right = np.trace(matrices, axis1=-2, axis2=-1)
    spread = (total**2 - (has**2).sum(axis=-1)) * (total**2 - (given**2).sum(axis=-1))
    return divided(right * total - (has * given).sum(axis=-1), np.sqrt(np.maximum(spread, 0.0)))


def predictive_values(matrices: Matrices, *, positive: int, prevalence: float) -> tuple[Matrices, Matrices]:
    """Positive and negative predictive value at another prevalence than that of the scans, by Bayes' theorem.

    Args:
        matrices: ``(..., 2, 2)`` counts.
        positive: Index of the positive class.
        prevalence: Share of the positive class, between 0 and 1.

    Returns:
        ``(...)`` each, 0..1; they hold only as far as sensitivity and specificity do not change with the prevalence.
    """
    sensitivity = class_figure(matrices, "sensitivity", positive)
    specificity = class_figure(matrices, "specificity", positive)
    hit, missed = sensitivity * prevalence, (1.0 - sensitivity) * prevalence
    passed, alarm = specificity * (1.0 - prevalence), (1.0 - specificity) * (1.0 - prevalence)
    return divided(hit, hit + alarm), divided(passed, passed + missed)
