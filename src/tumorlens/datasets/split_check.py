"""Refuses splits that would give a wrong figure: a group on two sides, a class missing from one."""

from __future__ import annotations

import numpy as np

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.split import LEFT_OUT, PARTS, Split
from tumorlens.errors import InputError

__all__ = ["check_split"]


def check_split(dataset: Dataset, split: Split) -> None:
    """Raise unless ``split`` may be used with ``dataset``.

    The study's split is held to less: it has no calibration part and no groups.

    Raises:
        InputError: It is of other scans, a class is missing from a part, or a group or a copy
            stands on two sides.
    """
    if len(split) != len(dataset) or not np.array_equal(split.pixel_digests, dataset.digests):
        raise InputError(
            f"The split ({len(split)} rows) was not made for the data set {dataset.name!r} "
            f"({len(dataset)} rows) or the scans have changed: split it again."
        )
    unknown = sorted(set(split.parts.tolist()) - {*PARTS, LEFT_OUT})
    if unknown:
        raise InputError(f"Expected parts among {', '.join(PARTS)}, got {unknown[0]!r}.")
    _check_classes(dataset, split)
    if not split.leaky:
        _check_sides(dataset.groups, split, what=dataset.groups_are.removesuffix("s"))
        _check_sides(dataset.digests, split, what="scan with copies, digest")


def _check_classes(dataset: Dataset, split: Split) -> None:
    labels = dataset.labels
    for part in PARTS:
        if split.protocol == "study" and part == "calibration":
            continue
        present = set(labels[split.parts == part].tolist())
        for index, name in enumerate(dataset.classes):
            if index not in present:
                raise InputError(
                    f"The {part} part holds no scan of class {name!r}; expected every class on "
                    "every side: add scans or groups of that class, or split again."
                )


def _check_sides(names: np.ndarray, split: Split, *, what: str) -> None:
    _, codes = np.unique(names, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    order = order[split.parts[order] != LEFT_OUT]
    same = codes[order][1:] == codes[order][:-1]
    differ = np.flatnonzero(same & (split.parts[order][1:] != split.parts[order][:-1]))
    if len(differ):
        row, other = order[differ[0]], order[differ[0] + 1]
        raise InputError(
            f"The {what} {names[row][:40]!r} stands on two sides of the split ({split.parts[row]} "
            f"and {split.parts[other]}): put all of it into one part."
        )
