"""Draws an evaluation for the terminal. Decides nothing about content."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tumorlens.cli.evaluation_groups_table import failures_tables, patient_lines, subgroup_tables
from tumorlens.cli.figure_words import interval_words, value_words
from tumorlens.evaluation import Summary
from tumorlens.reports.grid import Grid
from tumorlens.reports.rules_grids import heatmaps_grid
from tumorlens.reports.terminal import grids_to_rich
from tumorlens.reports.wording import FIGURE_NAMES
from tumorlens.workflows.evaluation_result import Evaluation
from tumorlens.workflows.evaluation_rules import rules_grids

__all__ = ["evaluation_table"]


def evaluation_table(result: Evaluation) -> RenderableType:
    """All figures with their intervals, and the sentences under them."""
    found = result.summary
    marks = f" ({'; '.join(result.marks)})" if result.marks else ""
    of = f"{found.n_scans:,} scans"
    if found.groups_are != "none":
        of += f" of {found.n_groups:,} {found.groups_are}"
    title = f"{result.model} on {result.dataset}{marks}: {of}"
    lines = [
        result.basis,
        *patient_lines(result),
        *_counts(result),
        *result.notes,
        *(() if result.views is None else (result.views.words,)),
        *result.card.not_offered,
        result.use,
    ]
    return Group(
        _figures(found, unit="per slice", title=title),
        *_classes(result),
        *_patients(result),
        grids_to_rich((*rules_grids(result.card, result.rules), *_heatmaps(result)), sentences=()),
        *subgroup_tables(result),
        *failures_tables(result),
        *(Text(f"• {line}", style="dim") for line in lines),
    )


def _heatmaps(result: Evaluation) -> tuple[Grid, ...]:
    found = result.heatmaps
    if found is None:
        return ()
    return (
        heatmaps_grid({name: getattr(found, name) for name in ("pointing", "centre", "area", "energy", "overlap")}),
    )


def _figures(found: Summary, *, unit: str, title: str | None = None) -> Table:
    """All figures with their intervals, a row each."""
    of_what = f" of {found.positive_class!r}" if found.positive_class else ", mean over classes"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column(unit)
    table.add_column("value", justify="right")
    table.add_column(f"{found.level:.0%} interval", justify="right")
    for name, figure in found.metrics.items():
        title = FIGURE_NAMES[name]
        if name.endswith("_at_prevalence"):
            title += f" at a prevalence of {found.prevalence:g}"
        elif name in ("sensitivity", "specificity", "ppv", "npv", "f1", "roc_auc", "average_precision"):
            title += of_what
        table.add_row(title, value_words(figure), interval_words(figure))
    return table


def _patients(result: Evaluation) -> list[RenderableType]:
    """The same figures per patient, where there are any."""
    found = result.by_group.per_patient.summary
    return [] if found is None else [_figures(found, unit="per patient", title=f"{found.n_scans:,} patients")]


def _classes(result: Evaluation) -> list[RenderableType]:
    """A table of the classes where there are more than two; of two, the figures of one are those of the other."""
    if result.summary.positive_class is not None:
        return []
    table = Table(box=SIMPLE_HEAD)
    names = list(next(iter(result.summary.per_class.values())))
    for title in ("class", *(FIGURE_NAMES[name] for name in names)):
        table.add_column(title)
    for label, own in result.summary.per_class.items():
        table.add_row(label, *(f"{value_words(own[name])}\n{interval_words(own[name])}" for name in names))
    return [table]


def _counts(result: Evaluation) -> list[str]:
    lines = []
    if result.in_training:
        lines.append(f"{result.in_training:,} scans were left out: the model was made with them.")
    if result.near_twins is not None:
        lines.append(
            f"{result.near_twins:,} of {result.summary.n_scans:,} scans have a near-twin among those the model "
            "was made with."
        )
    return lines
