"""The comparison as grids: the study's columns first, then what its table lacked.

A row that collapsed never shows a plain accuracy: the word stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tumorlens.evaluation import ClassFigures, PublishedFigures, RowFigures
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.differences import difference_grid
from tumorlens.reports.grid import Cell, Column, Grid, GridRow, Tone
from tumorlens.reports.wording import NO_VALUE, duration, head_name, interval, number, row_name

__all__ = ["class_grid", "comparison_grids", "interval_grid", "parts_grid", "study_grid"]

_MOST_CLASSES_ACROSS = 3
_ONE_CLASS = "predicts one class only"


def comparison_grids(comparison: Comparison) -> tuple[Grid, ...]:
    """All tables of a comparison in the order they are shown.

    With more than three classes, precision, recall and F1 stand in a third table, a line a class. Differences between
    rows come last.
    """
    grids: tuple[Grid, ...] = (study_grid(comparison), interval_grid(comparison))
    if len(comparison.classes) > _MOST_CLASSES_ACROSS:
        grids += (class_grid(comparison),)
    differences = difference_grid(comparison)
    return grids if differences is None else (*grids, differences)


def study_grid(comparison: Comparison) -> Grid:
    """The study's own columns: accuracy and loss in training, precision, recall and F1 on test."""
    across = len(comparison.classes) <= _MOST_CLASSES_ACROSS
    classes = comparison.classes if across else ()
    columns = (
        Column("Model", numeric=False),
        Column("Train", "acc / loss"),
        Column("Validation", "acc / loss"),
        *(Column(name, "test P / R / F1") for name in classes),
        Column("All", "test accuracy"),
    )
    rows: list[GridRow] = []
    for index, row in enumerate(comparison.rows):
        rows.append(GridRow(_study_cells(row, classes), _tone(row, comparison)))
        if row.published and not _followed_by_same(comparison.rows, index):
            rows.append(GridRow(_published_cells(row.published, len(classes)), "published"))
    return Grid("Training, validation and test by class", columns, tuple(rows))


def interval_grid(comparison: Comparison) -> Grid:
    """What the study's table lacked: test figures with intervals, baselines, time and memory."""
    level = next((row.interval.level for row in comparison.rows if row.interval), None)
    ends = "" if level is None else f"{100 * level:g} % interval"
    with_published = any(row.published for row in comparison.rows)
    columns = (
        Column("Model", numeric=False),
        Column("Test accuracy", ends),
        *([Column("Published", "accuracy")] if with_published else []),
        Column("Test loss", ends),
        Column(_auc_title(comparison), ends),
        Column("Time"),
        Column("Memory", "peak"),
    )
    rows = tuple(GridRow(_interval_cells(row, with_published), _tone(row, comparison)) for row in comparison.rows)
    return Grid("On the test part, with intervals", columns, rows)


def class_grid(comparison: Comparison) -> Grid:
    """Precision, recall, F1 and support of every class of every row."""
    columns = (
        Column("Model", numeric=False),
        Column("Class", numeric=False),
        Column("Precision"),
        Column("Recall"),
        Column("F1"),
        Column("Support"),
    )
    rows = tuple(
        GridRow(
            (
                _name_cell(row) if name == comparison.classes[0] else Cell(""),
                Cell(name),
                *(Cell(number(value, digits=2)) for value in (entry.precision, entry.recall, entry.f1)),
                Cell(f"{entry.support:,}"),
            ),
            _tone(row, comparison),
        )
        for row in comparison.rows
        for name, entry in row.per_class.items()
    )
    return Grid("By class, on the test part", columns, rows)


def parts_grid(comparison: Comparison) -> Grid:
    """Scans by part and class, with sums."""
    columns = (Column("Part", numeric=False), *map(Column, comparison.classes), Column("All"))
    parts = {part: counts for part, counts in comparison.parts.items() if sum(counts.values())}
    rows = [GridRow((Cell(part), *_count_cells(counts, comparison.classes))) for part, counts in parts.items()]
    total = {name: sum(counts.get(name, 0) for counts in parts.values()) for name in comparison.classes}
    rows.append(GridRow((Cell("all"), *_count_cells(total, comparison.classes)), "best"))
    return Grid("Scans by part and class", columns, tuple(rows))


def _tone(row: RowFigures, comparison: Comparison) -> Tone:
    if row.collapsed:
        return "collapsed"
    if row is comparison.best_row:
        return "best"
    return "baseline" if row.kind == "baseline" else "plain"


def _name_cell(row: RowFigures) -> Cell:
    return Cell(row_name(row), head_name(row))


def _study_cells(row: RowFigures, classes: Sequence[str]) -> tuple[Cell, ...]:
    return (
        _name_cell(row),
        _fit_cell(row.train_accuracy, row.train_loss, collapsed=row.collapsed),
        _fit_cell(row.val_accuracy, row.val_loss, collapsed=row.collapsed),
        *(_class_cell(row.per_class.get(name)) for name in classes),
        Cell("collapsed", row.collapsed_because or "") if row.collapsed else Cell(number(row.test_accuracy)),
    )


def _published_cells(published: PublishedFigures, n_classes: int) -> tuple[Cell, ...]:
    by_class = list(published.per_class.values())
    shown = by_class if len(by_class) == n_classes else [None] * n_classes
    return (
        Cell("published", "2024 study"),
        _fit_cell(published.train_accuracy, published.train_loss, collapsed=published.collapsed),
        _fit_cell(published.val_accuracy, published.val_loss, collapsed=published.collapsed),
        *(_class_cell(entry) for entry in shown),
        Cell("collapsed", f"{_ONE_CLASS}, {published.test_accuracy:.2f}")
        if published.collapsed
        else Cell(number(published.test_accuracy, digits=2)),
    )


def _interval_cells(row: RowFigures, with_published: bool) -> tuple[Cell, ...]:
    accuracy = Cell(number(row.test_accuracy), interval(row.test_accuracy_low, row.test_accuracy_high))
    memory = NO_VALUE if row.peak_memory_mb is None else f"{row.peak_memory_mb:,.0f} MB"
    return (
        _name_cell(row),
        Cell("collapsed", row.collapsed_because or "") if row.collapsed else accuracy,
        *([_published_accuracy(row.published)] if with_published else []),
        Cell(number(row.test_loss), interval(row.test_loss_low, row.test_loss_high)),
        Cell(number(row.test_roc_auc), interval(row.test_roc_auc_low, row.test_roc_auc_high)),
        Cell(duration(row.seconds)),
        Cell(memory),
    )


def _published_accuracy(published: PublishedFigures | None) -> Cell:
    if published is None:
        return Cell(NO_VALUE)
    if published.collapsed:
        return Cell("collapsed", f"({published.test_accuracy:.2f})")
    return Cell(number(published.test_accuracy, digits=2))


def _fit_cell(accuracy: float | None, loss: float | None, *, collapsed: bool) -> Cell:
    shown = number(accuracy)
    return Cell(f"{f'({shown})' if collapsed else shown} / {number(loss)}")


def _class_cell(entry: ClassFigures | None) -> Cell:
    if entry is None:
        return Cell(NO_VALUE)
    return Cell(f"{entry.precision:.2f} / {entry.recall:.2f} / {entry.f1:.2f}")


def _count_cells(counts: Mapping[str, int], classes: Sequence[str]) -> tuple[Cell, ...]:
    return (
        *(Cell(f"{counts.get(name, 0):,}") for name in classes),
        Cell(f"{sum(counts.values()):,}"),
    )


def _auc_title(comparison: Comparison) -> str:
    return "ROC AUC" if len(comparison.classes) == 2 else "ROC AUC (macro)"


def _followed_by_same(rows: Sequence[RowFigures], index: int) -> bool:
    following = rows[index + 1 : index + 2]
    return bool(following) and following[0].published == rows[index].published
