"""How often each test part was opened: one line a time, never rewritten.

A test part that is looked at again and again stops being one; the count stands in every report.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from tumorlens.workspace import Workspace, storage_errors

__all__ = ["count_openings", "list_openings", "record_opening"]


def record_opening(
    workspace: Workspace,
    *,
    dataset: str,
    split_digest: str,
    run: str,
    mistake: str | None = None,
    search: str | None = None,
    original_split: str = "",
) -> None:
    """Append that ``run`` is about to compute figures on the test part of a split.

    Args:
        workspace: Whose ledger.
        dataset: Name of the data set.
        split_digest: Whose test part.
        run: Name of the run.
        mistake: The mistake made on purpose; such a run stands in the ledger but serves no result and is not counted.
        search: The search that ends with this run; ``None`` without one.
        original_split: Of the copy of a data set, the digest of the split of the scans as stored: the two have one test
            part, whose openings are counted together.
    """
    line = json.dumps(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "dataset": dataset,
            "split_digest": split_digest,
            "run": run,
            "mistake": mistake,
            "search": search,
            "original_split_digest": original_split,
        }
    )
    with storage_errors(workspace.ledger), workspace.ledger.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")  # the first line break ends a line that a kill cut short
        file.flush()
        os.fsync(file.fileno())


def count_openings(workspace: Workspace, split_digest: str) -> int:
    """How many times the test part of a split was opened for a result in this workspace."""
    return len(list_openings(workspace, [split_digest]))


def list_openings(workspace: Workspace, split_digests: Collection[str]) -> list[dict[str, Any]]:
    """Every opening of these splits' test parts for a result, oldest first: time, data set, split, run and search."""
    openings = list(_openings(workspace))
    originals = {
        opening["split_digest"]: opening["original_split_digest"]
        for opening in openings
        if opening.get("original_split_digest")  # an opening by `evaluate` names only the copy's split
    }
    wanted = {originals.get(digest, digest) for digest in split_digests if digest}
    return [
        opening for opening in openings if originals.get(opening["split_digest"], opening["split_digest"]) in wanted
    ]


def _openings(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """Every opening for a result."""
    if not workspace.ledger.is_file():
        return
    for line in workspace.ledger.read_text(encoding="utf-8").splitlines():
        try:
            opening = json.loads(line)
            counts = isinstance(opening["split_digest"], str) and opening.get("mistake") is None
        except (ValueError, KeyError, TypeError, AttributeError):  # a line cut short by a kill says nothing
            continue
        if counts:
            yield opening
