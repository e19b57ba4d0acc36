"""The price of the split that came with the data: accuracy on it, and without the training scans it leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.audit.batch_linear import SharedRows
from tumorlens.audit.cross_validation import Trial, predicted_right
from tumorlens.audit.findings import Twin, WithInterval
from tumorlens.audit.intervals import accuracies
from tumorlens.audit.published_parts import find_published_parts
from tumorlens.audit.removal import enough_left, equally_many
from tumorlens.audit.twin_table import TwinTable
from tumorlens.audit.twins import find_scan_twins
from tumorlens.datasets import Dataset
from tumorlens.progress import Task

__all__ = ["PublishedPrice", "price_of_published_split"]

_CONTROLS = 5


@dataclass(frozen=True)
class PublishedPrice:
    """What a published split is worth.

    Attributes:
        train_scans: Scans of its training part.
        removed_scans: Training scans with a test scan for a twin, of whatever kind.
        accuracy: On the test part (the validation part where there is none), trained on the whole training part.
        cleaned: The same without those twins; ``None`` where too little is left.
        control: The same without equally many training scans of each class chosen at random; ``None`` likewise.
    """

    train_scans: int
    removed_scans: int
    accuracy: WithInterval
    cleaned: WithInterval | None
    control: WithInterval | None


def price_of_published_split(
    dataset: Dataset,
    rows: SharedRows,
    *,
    pairs: Sequence[Twin] | None = None,
    chosen: npt.NDArray[np.int64],
    least_left: float,
    seed: int,
    task: Task,
) -> PublishedPrice | None:
    """Measure the published split with the same features and head as the rest.

    Args:
        dataset: The scans.
        rows: Features of the chosen scans, and the strength of the L2 term.
        pairs: All twins of the data set, from :func:`~tumorlens.audit.twins.find_scan_twins`; found here if ``None``.
        chosen: ``(n,)`` the rows of the data set that are looked at.
        least_left: Share of the training scans that must be left, 0..1.
        seed: Same seed, same control.
        task: Advanced by one a head.

    Returns:
        The price; ``None`` where no split was published, or its training part lacks a class.
    """
    parts = find_published_parts(dataset)
    if parts is None:
        return None
    train, test = parts.trained[chosen], parts.tested[chosen]
    labels = dataset.labels[chosen]
    if not test.any() or not enough_left(train[None], train[None], labels, share=0):
        return None
    pairs = find_scan_twins(dataset) if pairs is None else pairs
    twins = train[None] & _twins_of_test_scans(dataset, pairs, test_rows=chosen[test])[chosen]
    never = (~train & ~test)[None]
    trials = [_trial(test, never)]
    cleaned = enough_left(train & ~twins, train[None], labels, share=least_left)
    if cleaned:
        generator = np.random.default_rng(seed)
        trials.append(_trial(test, never | twins))
        for _ in range(_CONTROLS):
            trials.append(_trial(test, never | equally_many(twins, train[None], labels, generator=generator)))
    right = predicted_right(rows, labels, trials, n_classes=len(dataset.classes), task=task)
    shares = right[test].astype(np.float64)
    columns = [shares[:, 0], shares[:, 1], shares[:, 2:].mean(axis=1)] if cleaned else [shares[:, 0]]
    found = accuracies(
        np.stack(columns, axis=1), groups=dataset.groups[chosen][test], unit=dataset.groups_are, seed=seed
    )
    return PublishedPrice(
        train_scans=int(train.sum()),
        removed_scans=int(twins.sum()),
        accuracy=found[0],
        cleaned=found[1] if cleaned else None,
        control=found[2] if cleaned else None,
    )


def _twins_of_test_scans(
    dataset: Dataset, twins: Sequence[Twin], *, test_rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """``(n,)``: rows with the same pixels as a test scan, or a twin of one; copies share their twins."""
    places = dataset.thumbnail_rows()
    tested = np.zeros(int(places.max()) + 1, bool)
    tested[places[test_rows]] = True
    found = tested.copy()
    table = TwinTable.of(twins)
    first, second = places[table.first], places[table.second]
    found[first[tested[second]]] = True
    found[second[tested[first]]] = True
    return found[places]


def _trial(test: npt.NDArray[np.bool_], left_out: npt.NDArray[np.bool_]) -> Trial:
    return Trial(np.where(test, 0, -1), left_out)
