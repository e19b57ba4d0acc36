"""Writes a cross-validated comparison as Markdown, CSV and JSON, and draws it for the terminal. Decides nothing about
content.
"""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from pathlib import Path

from rich.console import RenderableType

from tumorlens.evaluation import CrossValidatedFigures, FoldFigures
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.cross_validation_caveats import cross_validation_caveats
from tumorlens.reports.cross_validation_tables import cross_validation_grids, protocol_words
from tumorlens.reports.rendering import markdown_page
from tumorlens.reports.terminal import grids_to_rich
from tumorlens.workspace import write_text

__all__ = [
    "cross_validation_to_markdown",
    "cross_validation_to_rich",
    "folds_to_csv",
    "rows_to_csv",
    "write_cross_validation_tables",
]

_FIGURES = (
    "kind",
    "backbone",
    "head",
    "weights",
    "collapsed",
    "collapsed_because",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "repeat_spread",
    "fold_spread",
    "test_loss",
    "test_loss_low",
    "test_loss_high",
    "test_roc_auc",
    "test_roc_auc_low",
    "test_roc_auc_high",
    "roc_auc_spread",
    "n_test",
    "seconds",
    "peak_memory_mb",
)
_BY_CLASS = ("precision", "recall", "f1")
_FOLD_FIGURES = tuple(entry.name for entry in fields(FoldFigures))


def cross_validation_to_rich(comparison: CrossValidation) -> RenderableType:
    """The tables and the sentences under them, for a terminal of any width."""
    return grids_to_rich(cross_validation_grids(comparison), sentences=cross_validation_caveats(comparison))


def cross_validation_to_markdown(comparison: CrossValidation) -> str:
    """The same in GitHub's Markdown."""
    return markdown_page(
        f"Comparison on {comparison.dataset} (cross-validation, {protocol_words(comparison)})",
        grids=cross_validation_grids(comparison),
        sentences=cross_validation_caveats(comparison),
    )


def rows_to_csv(comparison: CrossValidation) -> str:
    """One line a row, figures with full digits; by class precision, recall and F1 with their ends, and support."""
    by_class = [
        column
        for label in comparison.classes
        for column in (
            *(f"{figure}{end}:{label}" for figure in _BY_CLASS for end in ("", "_low", "_high")),
            f"support:{label}",
        )
    ]
    return _csv([*_FIGURES, *by_class], [_row_line(row, comparison.classes) for row in comparison.rows])


def folds_to_csv(comparison: CrossValidation) -> str:
    """One line a head: row, repeat, fold and its figures on the scans held out."""
    return _csv(
        ["row", *_FOLD_FIGURES],
        [
            [row.name, *(getattr(fold, figure) for figure in _FOLD_FIGURES)]
            for row in comparison.rows
            for fold in row.by_fold
        ],
    )


def write_cross_validation_tables(comparison: CrossValidation, folder: Path) -> None:
    """Write ``comparison.md``, ``comparison.csv``, ``folds.csv`` and ``comparison.json`` into ``folder``.

    Raises:
        StorageError: They could not be written.
    """
    write_text(folder / "comparison.md", cross_validation_to_markdown(comparison))
    write_text(folder / "comparison.csv", rows_to_csv(comparison))
    write_text(folder / "folds.csv", folds_to_csv(comparison))
    write_text(folder / "comparison.json", comparison.dumps() + "\n")


def _row_line(row: CrossValidatedFigures, classes: tuple[str, ...]) -> list[object]:
    line: list[object] = [getattr(row, figure) for figure in _FIGURES]
    for label in classes:
        for name in _BY_CLASS:
            figure = row.per_class_intervals[label][name]
            line += [figure.value, figure.low, figure.high]
        line.append(row.per_class[label].support)
    return line


def _csv(heading: list[str], lines: list[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(lines)
    return text.getvalue()
