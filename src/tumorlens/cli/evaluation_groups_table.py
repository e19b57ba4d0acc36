"""Draws for the terminal what an evaluation says by level of a column and by group. Decides nothing about content."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tumorlens.cli.figure_words import interval_words, value_words
from tumorlens.evaluation import Figure
from tumorlens.evaluation.subgroups import SUBGROUP_FIGURES, Subgroups
from tumorlens.workflows.evaluation_findings import OF_SLICES
from tumorlens.workflows.evaluation_result import Evaluation

__all__ = ["failures_tables", "patient_lines", "subgroup_tables"]

_NAMES = {"accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity", "roc_auc": "ROC area"}
_INTERVAL = len("0.000–1.000")
_UNITS = {"patients": "patient", "clusters": "cluster", "none": "scan"}


def patient_lines(result: Evaluation) -> list[str]:
    """What figures per patient rest on; nothing where there are none."""
    found = result.by_group.per_patient
    if found.summary is None:
        return []
    summary = found.summary
    return [
        f"Per patient: {found.aggregation}; {summary.level:.0%} intervals from a bootstrap over "
        f"{summary.n_groups:,} patients. {found.reason}",
        OF_SLICES,
    ]


def subgroup_tables(result: Evaluation) -> list[RenderableType]:
    """A table and a sentence on the worst level for each column asked for."""
    return [part for found in result.by_group.subgroups for part in (_subgroups(result, found), _worst(found), Text())]


def failures_tables(result: Evaluation) -> list[RenderableType]:
    """The groups with most errors, and how few hold half of them."""
    found, unit = result.by_group.failures, _UNITS[result.summary.groups_are]
    if not found.n_errors:
        return [Text("No errors in any scan.")]
    table = Table(box=SIMPLE_HEAD, title=f"{unit}s with most errors", title_justify="left")
    table.add_column(unit, overflow="fold")
    for title in ("scans", "errors", "share"):
        table.add_column(title, justify="right")
    for own in found.worst:
        table.add_row(Text(own.group), f"{own.n_scans:,}", f"{own.n_errors:,}", f"{own.share:.0%}")
    sentence = (
        f"{found.groups_with_half:,} of {result.summary.n_groups:,} {unit}s hold at least half of the "
        f"{found.n_errors:,} errors; a single {unit}'s share has no interval."
    )
    return [table, Text(sentence), Text()]


def _subgroups(result: Evaluation, found: Subgroups) -> Table:
    cut = " (cut at its quartiles)" if found.cuts is not None else ""
    title = Text(f"per slice, by {found.column}{cut}")
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 0, 0, 1))
    table.add_column(Text(found.column), overflow="fold")
    for name in ("scans", f"{_UNITS[result.summary.groups_are]}s"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in SUBGROUP_FIGURES:
        table.add_column(_NAMES[name], justify="right", width=_INTERVAL)
    for level in found.levels:
        own = [level.metrics[name] for name in SUBGROUP_FIGURES]
        table.add_row(
            Text(level.name),
            f"{level.n_scans:,}",
            f"{level.n_groups:,}",
            *(_cell(figure) for figure in own),
        )
    return table


def _cell(figure: Figure) -> str:
    return value_words(figure) if figure.value is None else f"{value_words(figure)}\n{interval_words(figure)}"


def _worst(found: Subgroups) -> Text:
    if found.worst is None:
        return Text("Fewer than two levels have an accuracy with an interval, so none is called the worst.")
    figure = found.worst.metrics["accuracy"]
    return Text(
        f"Worst by accuracy: {found.worst.name}, {value_words(figure)} ({interval_words(figure)}), of "
        f"{len(found.judged)} levels with an interval. The worst of several levels is low partly by chance."
    )
