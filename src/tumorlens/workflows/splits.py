"""Which split a comparison uses: made once, kept beside the data set, found again by its seed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from tumorlens.datasets import (
    PARTS,
    Dataset,
    Split,
    load_split,
    residual_neighbours,
    save_split,
    split_by_group,
    split_like_study,
)
from tumorlens.errors import InputError, IntegrityError

__all__ = [
    "PROTOCOLS",
    "describe_split",
    "part_counts",
    "prepare_split",
    "split_lines",
]

PROTOCOLS = ("grouped", "study")


def prepare_split(dataset: Dataset, *, protocol: str, seed: int, split_file: Path | None = None) -> Split:
    """Make, find or read the split of a data set, and keep a copy in its folder.

    A grouped split made earlier with the same seed is used again, so that figures before and after labels were
    corrected rest on the same test scans.

    Args:
        dataset: The scans.
        protocol: ``grouped``, or ``study`` for the original study's leaky split.
        seed: Seed of the grouped assignment.
        split_file: A split written earlier; checked against the data set.

    Raises:
        InputError: Unknown protocol, or a split that breaks the rules.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"Expected --protocol {' or '.join(PROTOCOLS)}, got {protocol!r}.")
    if split_file is not None:
        if protocol == "study":
            raise InputError("--protocol study makes its own split: leave out the split file or use grouped.")
        split = load_split(split_file, dataset=dataset)
    elif protocol == "study":
        split = split_like_study(dataset)
    else:
        split = _kept(dataset, seed=seed) or split_by_group(dataset, seed=seed)
    kept = dataset.splits / f"{split.protocol}-{split.digest[:12]}.json"
    if not kept.exists():
        save_split(split, kept)
    return split


def _kept(dataset: Dataset, *, seed: int) -> Split | None:
    """The grouped split of this seed in the data set's folder; one that no longer fits it is passed over."""
    for file in sorted(dataset.splits.glob("grouped-*.json")):
        with suppress(InputError, IntegrityError):
            split = load_split(file, dataset=dataset)
            if split.seed == seed:
                return split
    return None


def describe_split(dataset: Dataset, split: Split) -> dict[str, Any]:
    """The split's facts as JSON: scans by part and class, residual neighbours."""
    return {
        "dataset": dataset.name,
        "protocol": split.protocol,
        "seed": split.seed,
        "split_digest": split.digest,
        "groups_are": split.groups_are,
        "parts": part_counts(dataset, split),
        "residual_neighbours": residual_neighbours(dataset, split).to_json(),
    }


def part_counts(dataset: Dataset, split: Split) -> dict[str, dict[str, int]]:
    """Scans by part and class; parts that hold none are left out."""
    labels = dataset.manifest["label"].to_numpy()
    counts = {part: {name: int((labels[split.rows(part)] == name).sum()) for name in dataset.classes} for part in PARTS}
    return {part: row for part, row in counts.items() if sum(row.values())}


def split_lines(dataset: Dataset, split: Split) -> list[str]:
    """The split's facts for a person."""
    lines = [
        f"{part}: {sum(row.values())} scans ({', '.join(f'{count} {name}' for name, count in row.items())})"
        for part, row in part_counts(dataset, split).items()
    ]
    return [
        *lines,
        residual_neighbours(dataset, split).sentence(),
        f"Split digest: {split.digest[:12]}",
    ]
