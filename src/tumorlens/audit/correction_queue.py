"""The queue of doubtful labels as a CSV for a person to correct, and the corrected CSV read back.

Believes nothing it reads: rows, pixels, names and labels are compared with the data set.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tumorlens.audit.findings import Contradiction, LabelConflict, TwinKind
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.label_table import read_table
from tumorlens.datasets.relabel import settle_corrections
from tumorlens.errors import InputError
from tumorlens.workspace import write_text

__all__ = ["QUEUE_COLUMNS", "read_corrections", "write_queue"]

QUEUE_COLUMNS = (
    "row_id",
    "source",
    "label",
    "corrected_label",
    "reason",
    "other_source",
    "other_label",
    "similarity",
    "predicted",
    "probability",
    "pixel_digest",
)
"""Columns of the queue; ``corrected_label`` is left blank for the person to fill in."""

_NEEDED = ("row_id", "source", "corrected_label", "pixel_digest")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_TWIN_WORDS: dict[TwinKind, str] = {
    "exact": "an exact copy has another label",
    "copy": "a copy has another label",
    "mirrored": "a mirrored copy has another label",
    "neighbour": "a nearly identical scan has another label",
}


@dataclass
class _Entry:
    """One scan of the queue with the first reason of either kind."""

    reasons: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)


def write_queue(
    path: Path,
    dataset: Dataset,
    conflicts: Sequence[LabelConflict],
    contradictions: Sequence[Contradiction],
) -> None:
    """Write the scans whose labels are in doubt, a row a scan, the most doubtful first.

    Both scans of a conflict are listed, since either may be wrong. A cell that a spreadsheet would take for a formula
    gets an apostrophe in front, which :func:`read_corrections` takes away again.

    Args:
        path: The CSV to write (UTF-8, comma), with :data:`QUEUE_COLUMNS`.
        dataset: The scans.
        conflicts: From :func:`~tumorlens.audit.conflicts.label_conflicts`, the most alike first.
        contradictions: The most confident first.

    Raises:
        StorageError: It cannot be written.
    """
    sources = dataset.manifest["source"].tolist()
    labels = dataset.manifest["label"].tolist()
    digests = dataset.digests
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(QUEUE_COLUMNS)
    for row, entry in _entries(sources, conflicts, contradictions).items():
        cells = {
            "row_id": str(row),
            "source": sources[row],
            "label": labels[row],
            "reason": "; ".join(entry.reasons),
            "pixel_digest": str(digests[row]),
            **entry.cells,
        }
        writer.writerow([_guard(cells.get(column, "")) for column in QUEUE_COLUMNS])
    write_text(path, text.getvalue())


def _entries(
    sources: Sequence[str], conflicts: Iterable[LabelConflict], contradictions: Iterable[Contradiction]
) -> dict[int, _Entry]:
    entries: dict[int, _Entry] = {}
    for conflict in conflicts:
        twin = conflict.twin
        ends = (twin.first, twin.second, conflict.labels[1]), (twin.second, twin.first, conflict.labels[0])
        for row, other, other_label in ends:
            entry = entries.setdefault(row, _Entry())
            if "other_source" in entry.cells:
                continue
            entry.reasons.append(_TWIN_WORDS[twin.kind])
            entry.cells |= {
                "other_source": sources[other],
                "other_label": other_label,
                "similarity": f"{twin.similarity:.4f}",
            }
    for contradiction in contradictions:
        entry = entries.setdefault(contradiction.row_id, _Entry())
        entry.reasons.append("the prediction contradicts the label")
        entry.cells |= {"predicted": contradiction.predicted, "probability": f"{contradiction.probability:.4f}"}
    return entries


def read_corrections(path: Path, dataset: Dataset) -> dict[int, str]:
    """Read a corrected queue.

    Rows with a blank ``corrected_label`` are left as they are; a corrected scan takes its exact copies along.

    Args:
        path: A CSV with the columns ``row_id``, ``source``, ``corrected_label`` and ``pixel_digest``; with ``label``
            too, rows are refused whose label is no longer that one (nor the corrected one already).
        dataset: What it was written for.

    Returns:
        Row ids with new labels, for :func:`~tumorlens.datasets.relabel.relabel`; empty where every label given is the
        present one.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is damaged; a row is not of this data set, or was corrected since the queue was written; a label
            is no class; a scan or its copies get two labels; or nothing is filled in.
    """
    table = read_table(path)
    for column in _NEEDED:
        if column not in table.columns:
            raise InputError(f"{path} has no column {column!r}: give the queue.csv that tumorlens data audit wrote.")
    filled = table[table["corrected_label"] != ""]
    if filled.empty:
        raise InputError(f"{path} corrects nothing: fill in the column corrected_label and try again.")
    corrections: dict[int, str] = {}
    for row, label in _rows(filled, dataset, path=path):
        if label not in dataset.classes:
            raise InputError(
                f"{path} gives row {row} the label {label!r}, expected one of {', '.join(dataset.classes)}: "
                "use one of these."
            )
        if corrections.setdefault(row, label) != label:
            raise InputError(f"{path} gives row {row} two labels, {corrections[row]!r} and {label!r}: keep one.")
    return settle_corrections(dataset, corrections)


def _rows(filled: pd.DataFrame, dataset: Dataset, *, path: Path) -> Iterable[tuple[int, str]]:
    """Yield row ids and labels once they are known to be of this data set."""
    sources, digests = dataset.manifest["source"].tolist(), dataset.digests
    labels = dataset.manifest["label"].tolist()
    written = filled["label"] if "label" in filled else [None] * len(filled)
    for text, source, label, digest, old in zip(*(filled[column] for column in _NEEDED), written, strict=True):
        if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) < len(dataset)):
            raise InputError(
                f"{path} has the row id {text!r}, expected 0 to {len(dataset) - 1}: name the data set it was written "
                "for."
            )
        row = int(text)
        if digest != digests[row] or _unguard(source).strip() != sources[row].strip():
            raise InputError(
                f"{path} has {_unguard(source)!r} in row {row}, where {dataset.name!r} has {sources[row]!r} or other "
                "pixels: name the data set it was written for."
            )
        corrected = _unguard(label)
        if old is not None and labels[row] not in (_unguard(old), corrected):
            raise InputError(
                f"{path} says that row {row} is labelled {_unguard(old)!r}, and it is {labels[row]!r}: it was "
                "corrected since; audit again."
            )
        yield row, corrected


def _guard(cell: str) -> str:
    """Keep a spreadsheet from running a cell: put an apostrophe before what starts like a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
