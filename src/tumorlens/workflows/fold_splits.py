"""Split files of a cross-validation, plain or strict, for work that needs every part in every fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.datasets import (
    COARSE_GROUPS,
    Dataset,
    Split,
    join_groups,
    leave_out_alike,
    leave_out_at_random,
    residual_neighbours,
    save_split,
    split_folds,
)
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.errors import InputError
from tumorlens.reports.wording import counted
from tumorlens.workspace import write_json

__all__ = ["FOLD_PROTOCOLS", "FoldSplits", "fold_lines", "make_fold_splits", "strict_units", "write_fold_splits"]

_SUMMARY_FILE = "folds.json"


@dataclass(frozen=True, eq=False)
class FoldSplits:
    """One split a fold.

    Attributes:
        protocol: One of :data:`FOLD_PROTOCOLS`.
        splits: In the order of the folds.
        units: Number of groups that stay whole.
        largest: Scans in the largest of them.
    """

    protocol: str
    splits: tuple[Split, ...]
    units: int
    largest: int

    def to_json(self, dataset: Dataset) -> dict[str, Any]:
        """Digests, sizes and residual neighbours of every fold."""
        return {
            "dataset": dataset.name,
            "manifest_digest": dataset.digest,
            "protocol": self.protocol,
            "groups": self.units,
            "largest_group": self.largest,
            "folds": [
                {
                    "fold": number,
                    "split_digest": split.digest,
                    "parts": split.sizes(),
                    "left_out": split.left_out,
                    "residual_neighbours": residual_neighbours(dataset, split).to_json(),
                }
                for number, split in enumerate(self.splits, start=1)
            ],
        }


def make_fold_splits(
    dataset: Dataset,
    *,
    protocol: str = "clusters",
    folds: int = 5,
    seed: int = 0,
    groups: int = COARSE_GROUPS,
    above: float = 0.95,
) -> FoldSplits:
    """Divide a data set into folds under one protocol.

    Args:
        dataset: The scans.
        protocol: ``clusters``: whole clusters or patients; ``strict``: coarser groups, and scans that resemble a test
            scan are left out; ``control``: the folds of ``strict`` with as many scans left out at random.
        folds: Number of folds, at least 2.
        seed: Same seed, same folds.
        groups: Coarser groups wanted; patients are never joined.
        above: Correlation of thumbnails above which a scan resembles a test scan.

    Raises:
        InputError: Unknown protocol, or the groups cannot be divided so that every part holds every class.
    """
    if protocol not in FOLD_PROTOCOLS:
        raise InputError(f"Expected --protocol {', '.join(FOLD_PROTOCOLS)}, got {protocol!r}.")
    units = whole_units(dataset.groups, dataset.digests)
    if protocol != "clusters":
        units = strict_units(dataset, groups=groups)
    splits = split_folds(dataset, units, folds=folds, seed=seed)
    leave_out = FOLD_PROTOCOLS[protocol]
    sizes = np.bincount(units)
    return FoldSplits(
        protocol,
        tuple(leave_out(dataset, split, above, seed + fold) for fold, split in enumerate(splits)),
        len(sizes),
        int(sizes.max()),
    )


def strict_units(dataset: Dataset, *, groups: int = COARSE_GROUPS) -> np.ndarray:
    """``(n,)`` int64: the groups that the protocol ``strict`` keeps whole; patients as they are."""
    units = whole_units(dataset.groups, dataset.digests)
    return units if dataset.groups_are == "patients" else join_groups(dataset.thumbnails(), units, count=groups)


def write_fold_splits(dataset: Dataset, found: FoldSplits, folder: Path) -> list[Path]:
    """Write ``fold-1.json``, … and a summary, ``folds.json``; give back the paths of the splits.

    Raises:
        InputError: ``folder`` holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"Expected a new or empty folder for the splits, but {folder} holds something: name another.")
    paths = [folder / f"fold-{number}.json" for number in range(1, len(found.splits) + 1)]
    for path, split in zip(paths, found.splits, strict=True):
        save_split(split, path)
    write_json(folder / _SUMMARY_FILE, found.to_json(dataset))
    return paths


def fold_lines(dataset: Dataset, found: FoldSplits) -> list[str]:
    """The folds' facts for a person."""
    lines = [f"{found.units:,} groups stay whole, the largest with {counted(found.largest, 'scan')}."]
    for number, split in enumerate(found.splits, start=1):
        parts = ", ".join(f"{part} {count:,}" for part, count in split.sizes().items())
        left_out = f", left out {split.left_out:,}" if split.left_out else ""
        alike = residual_neighbours(dataset, split).above_095
        lines.append(f"Fold {number}: {parts}{left_out}; {alike} test scans keep a training neighbour above 0.95")
    return lines


def _keep_all(dataset: Dataset, split: Split, above: float, seed: int) -> Split:
    return split


def _strict(dataset: Dataset, split: Split, above: float, seed: int) -> Split:
    return leave_out_alike(dataset, split, above=above)


def _control(dataset: Dataset, split: Split, above: float, seed: int) -> Split:
    return leave_out_at_random(dataset, split, like=leave_out_alike(dataset, split, above=above), seed=seed)


FOLD_PROTOCOLS: dict[str, Callable[[Dataset, Split, float, int], Split]] = {
    "clusters": _keep_all,
    "strict": _strict,
    "control": _control,
}
"""What is left out, by the name of the protocol."""
