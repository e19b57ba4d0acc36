"""Writes a comparison as Markdown, CSV and JSON. Decides nothing about content."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from tumorlens.evaluation import RowFigures
from tumorlens.reports.caveats import caveats
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.grid import Cell, Column, Grid, Tone
from tumorlens.reports.tables import comparison_grids
from tumorlens.workspace import write_text

__all__ = ["markdown_grid", "markdown_page", "to_csv", "to_markdown", "write_tables"]

_CSV_FIGURES = (
    "kind",
    "backbone",
    "head",
    "weights",
    "collapsed",
    "collapsed_because",
    "train_accuracy",
    "val_accuracy",
    "train_loss",
    "val_loss",
    "loss_penalty",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "test_loss",
    "test_loss_low",
    "test_loss_high",
    "test_roc_auc",
    "test_roc_auc_low",
    "test_roc_auc_high",
    "n_test",
    "seconds",
    "peak_memory_mb",
    "run",
    "mistake",
)


def to_markdown(comparison: Comparison) -> str:
    """The tables and the sentences under them, in GitHub's Markdown."""
    title = f"Comparison on {comparison.dataset} ({comparison.protocol} protocol)"
    return markdown_page(title, grids=comparison_grids(comparison), sentences=caveats(comparison))


def markdown_page(title: str, *, grids: Sequence[Grid], sentences: Sequence[str]) -> str:
    """Tables under a heading, and sentences as a list, in GitHub's Markdown."""
    blocks = [f"# {_escape(title)}"]
    for grid in grids:
        blocks += [f"## {grid.title}", markdown_grid(grid)]
    blocks.append("\n".join(f"- {_escape(sentence)}" for sentence in sentences))
    return "\n\n".join(blocks) + "\n"


def to_csv(comparison: Comparison) -> str:
    """One line a row, figures with full digits; precision, recall, F1 and support by class."""
    class_columns = [
        f"{figure}:{name}" for name in comparison.classes for figure in ("precision", "recall", "f1", "support")
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_CSV_FIGURES, *class_columns, "published_test_accuracy"])
    for row in comparison.rows:
        writer.writerow(_csv_line(row, comparison.classes))
    return text.getvalue()


def write_tables(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write ``comparison.md``, ``comparison.csv`` and ``comparison.json`` into ``folder``; return
    their paths.

    Raises:
        StorageError: They could not be written.
    """
    contents = {
        "comparison.md": to_markdown(comparison),
        "comparison.csv": to_csv(comparison),
        "comparison.json": comparison.dumps() + "\n",
    }
    for name, text in contents.items():
        write_text(folder / name, text)
    return tuple(folder / name for name in contents)


def markdown_grid(grid: Grid) -> str:
    """One table in GitHub's Markdown."""
    return "\n".join(_markdown_lines(grid))


def _markdown_lines(grid: Grid) -> Iterator[str]:
    yield _markdown_line([_heading(column) for column in grid.columns])
    yield _markdown_line(["---:" if column.numeric else "---" for column in grid.columns])
    for row in grid.rows:
        yield _markdown_line([_markdown_cell(cell, row.tone) for cell in row.cells])


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _heading(column: Column) -> str:
    return _escape(f"{column.title} ({column.sub})" if column.sub else column.title)


def _markdown_cell(cell: Cell, tone: Tone) -> str:
    main = f"**{_escape(cell.main)}**" if tone == "best" and cell.main else _escape(cell.main)
    return f"{main} ({_escape(cell.sub)})" if cell.sub else main


def _escape(text: str) -> str:
    for character, replacement in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("*", "\\*"), ("[", "\\[")):
        text = text.replace(character, replacement)
    return " ".join(text.split())


def _csv_line(row: RowFigures, classes: Sequence[str]) -> list[object]:
    by_class = [row.per_class.get(name) for name in classes]
    return [
        *(getattr(row, figure) for figure in _CSV_FIGURES),
        *(
            None if entry is None else getattr(entry, figure)
            for entry in by_class
            for figure in ("precision", "recall", "f1", "support")
        ),
        None if row.published is None else row.published.test_accuracy,
    ]
