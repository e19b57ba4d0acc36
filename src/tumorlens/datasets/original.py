"""What a prepared copy of a data set keeps of the data set that it was made from: its name, and the scans' digests."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.split import Split, make_split
from tumorlens.workspace import write_json

__all__ = ["ORIGINAL_DIGEST", "ORIGINAL_FILE", "Original", "original_split_digest", "read_original", "write_original"]

ORIGINAL_FILE = "original.json"
ORIGINAL_DIGEST = "original_digest"
"""Manifest column with the digest of each scan's pixels before the steps."""


@dataclass(frozen=True)
class Original:
    """A data set as it was when its copy was made: its name, and the digest of its manifest."""

    name: str
    manifest_digest: str


def write_original(folder: Path, original: Original) -> None:
    """Keep it with the copy in ``folder``."""
    write_json(folder / ORIGINAL_FILE, asdict(original))


def read_original(folder: Path) -> Original | None:
    """What the data set in ``folder`` is a copy of; ``None`` where it is none."""
    try:
        document = json.loads((folder / ORIGINAL_FILE).read_text(encoding="utf-8"))
        return Original(str(document["name"]), str(document["manifest_digest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def original_split_digest(dataset: Dataset, split: Split) -> str:
    """Of a prepared copy, the digest of the same split of the scans as they were; empty for scans that are no copy.

    The two have one test part, by whatever name it is reached.

    Args:
        dataset: Whose rows are split.
        split: The split.
    """
    if ORIGINAL_DIGEST not in dataset.manifest:
        return ""
    digests = dataset.manifest[ORIGINAL_DIGEST].to_numpy(dtype=np.str_)
    before = make_split(
        split.parts, pixel_digests=digests, protocol=split.protocol, seed=split.seed, groups_are=split.groups_are
    )
    return before.digest
