"""Draws how a model's rules did: calibration, sets of classes, novelty, and what was answered. Decides nothing."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from tumorlens.cli.figure_words import interval_words, value_words
from tumorlens.evaluation import ConformalFigures, Figure
from tumorlens.evaluation.calibration_figures import CalibrationFigures
from tumorlens.workflows.evaluation_result import Evaluation

__all__ = ["rules_tables"]


def rules_tables(result: Evaluation) -> list[RenderableType]:
    """Up to three tables: calibration before and after, sets of classes, and what became of the scans."""
    rules = result.rules
    tables: list[RenderableType] = [_calibration(rules.before, rules.after)]
    if rules.conformal is not None:
        tables.append(_sets(rules.conformal))
    answers = {
        "called unlike the training data": rules.answers.unlike,
        "wrong among the others": rules.answers.error_accepted,
        "wrong among those": rules.answers.error_unlike,
        "undecided": rules.answers.undecided,
        "answered": rules.answers.answered,
        "wrong among the answered": rules.answers.error_answered,
    }
    if result.card.novelty is not None or result.card.conformal is not None:
        tables.append(_shares("what became of the scans", answers))
    return tables


def _calibration(before: CalibrationFigures | None, after: CalibrationFigures) -> Table:
    sides = {"uncalibrated": after} if before is None else {"before": before, "as shipped": after}
    table = Table(box=SIMPLE_HEAD)
    table.add_column("calibration")
    for name in sides:
        table.add_column(name, justify="right")
        table.add_column("95 % interval", justify="right")
    rows: dict[str, list[Figure]] = {
        "slope (1 when right)": [side.slope for side in sides.values()],
        "intercept (0 when right)": [side.intercept for side in sides.values()],
        "log loss (nats)": [side.log_loss for side in sides.values()],
        "Brier score": [side.brier for side in sides.values()],
        "calibration error, debiased": [side.reliability.debiased for side in sides.values()],
    }
    for title, figures in rows.items():
        if any(figure.value is not None for figure in figures):
            table.add_row(
                title, *(text for figure in figures for text in (value_words(figure), interval_words(figure)))
            )
    plain = (
        (f"{side.reliability.error:.3f}", "within" if side.reliability.within_band else "outside")
        for side in sides.values()
    )
    table.add_row("calibration error; a perfect model's band", *(text for pair in plain for text in pair))
    return table


def _sets(found: ConformalFigures) -> Table:
    return _shares(
        f"sets meant to hold the label in {found.wanted:.0%}",
        {
            "held it, every group weighing alike": found.group_coverage,
            "held it, every scan weighing alike": found.coverage,
            **{f"… of {name}": figure for name, figure in found.by_class.items()},
            "empty": found.empty,
            "one class": found.single,
            "two classes or more": found.several,
            "wrong among those of one class": found.single_error,
        },
    )


def _shares(title: str, figures: dict[str, Figure]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(title)
    table.add_column("share", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, figure in figures.items():
        table.add_row(name, value_words(figure), interval_words(figure))
    return table
