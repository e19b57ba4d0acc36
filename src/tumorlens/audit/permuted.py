"""Yagis' test: with labels that mean nothing, whatever is predicted better than chance is leakage.

Every group is given one random label (Yagis et al., "Effect of data leakage in brain MRI classification using 2D
convolutional neural networks", Scientific Reports 11 (2021) 22544, doi:10.1038/s41598-021-01681-w: subjects at random
labels gave about 96 % where slices were divided at random, and 50 % where subjects were). Here the draws are many and
the head is linear, so that there is a distribution and not one number. The test is blind to leakage between two groups
that hold the same patient, as inferred clusters may: they draw labels of their own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.audit.batch_linear import SharedRows
from tumorlens.audit.cross_validation import Trial, predicted_right
from tumorlens.audit.findings import NullDistribution
from tumorlens.progress import Task

__all__ = ["PERMUTED_DRAWS", "label_groups", "permuted_labels"]

PERMUTED_DRAWS = 100
"""How often labels are drawn."""


def permuted_labels(
    rows: SharedRows,
    groups: npt.NDArray[np.str_],
    *,
    random: npt.NDArray[np.int64],
    grouped: npt.NDArray[np.int64],
    seed: int,
    task: Task,
    draws: int = PERMUTED_DRAWS,
) -> tuple[NullDistribution, NullDistribution]:
    """Accuracies with a random label per group, of two classes whatever the data set has.

    Args:
        rows: Features of all scans, and the strength of the L2 term.
        groups: ``(n,)`` the group of each scan.
        random: ``(n,)`` folds by chance.
        grouped: ``(n,)`` folds that keep groups whole.
        seed: Same seed, same labels.
        task: Advanced by one a head.
        draws: How often labels are drawn.

    Returns:
        The distribution under random folds and, with the same labels, under grouped folds. Chance is the share of the
        commoner label under random folds, as it can be learned from training; under grouped folds, whose test labels
        are coins of their own, it is one half.
    """
    labels = label_groups(groups, draws=draws, seed=seed)
    shares = labels.mean(axis=0)
    majority = float(np.maximum(shares, 1 - shares).mean())
    found = []
    for folds, chance in ((random, majority), (grouped, 0.5)):
        right = predicted_right(rows, labels, [Trial(folds)] * draws, n_classes=2, task=task)
        accuracies = right.mean(axis=0)
        low, high = (float(end) for end in np.quantile(accuracies, [0.025, 0.975]))
        found.append(NullDistribution(float(accuracies.mean()), low, high, chance, draws))
    return found[0], found[1]


def label_groups(groups: npt.NDArray[np.str_], *, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw labels 0 and 1, a fair coin for each group.

    Were just half of the groups given each label, those left for a test would tend to have the label that is rarer in
    training, and accuracies would fall below chance.

    Args:
        groups: ``(n,)`` the group of each scan.
        draws: How often.
        seed: Same seed, same labels.

    Returns:
        ``(n, draws)``: one label a scan and draw, the same within a group.
    """
    names, codes = np.unique(groups, return_inverse=True)
    generator = np.random.default_rng(seed)
    return generator.integers(0, 2, (len(names), draws))[codes]
