"""Tables of how a model's rules did: calibration, sets of classes, and what became of the scans. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

from tumorlens.evaluation import ConformalFigures, Figure
from tumorlens.evaluation.calibration_figures import CalibrationFigures
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import NO_VALUE, interval, number

__all__ = ["answers_grid", "calibration_grid", "heatmaps_grid", "sets_grid"]

_ANSWERS = {
    "unlike": "called unlike the training data",
    "error_accepted": "wrong among the others",
    "error_unlike": "wrong among those",
    "undecided": "undecided",
    "answered": "answered with a label",
    "error_answered": "wrong among the answered",
}

_HEATMAPS = {
    "pointing": "strongest cell in the mask",
    "centre": "middle of the scan in the mask",
    "area": "area of the mask",
    "energy": "evidence in the mask",
    "overlap": "best overlap (upper bound)",
}


def calibration_grid(
    before: CalibrationFigures | None, after: CalibrationFigures, *, alone: str = "not calibrated"
) -> Grid:
    """Calibration of the probabilities as shipped, and before where they were calibrated.

    Args:
        before: Before the calibration; ``None`` where there is none.
        after: As shipped.
        alone: What the latter are called where they stand alone.
    """
    sides = {alone: after} if before is None else {"before": before, "as shipped": after}
    figures: dict[str, list[Figure]] = {
        "slope (1 when right)": [side.slope for side in sides.values()],
        "intercept (0 when right)": [side.intercept for side in sides.values()],
        "log loss (nats)": [side.log_loss for side in sides.values()],
        "Brier score": [side.brier for side in sides.values()],
        "calibration error, debiased": [side.reliability.debiased for side in sides.values()],
    }
    rows = [
        GridRow((Cell(name), *(_cell(figure) for figure in of_sides)))
        for name, of_sides in figures.items()
        if any(figure.value is not None for figure in of_sides)
    ]
    plain = (
        Cell(
            number(side.reliability.error),
            f"{'within' if side.reliability.within_band else 'outside'} {number(side.reliability.perfect)}",
        )
        for side in sides.values()
    )
    rows.append(GridRow((Cell("calibration error", "95 % of perfectly calibrated models lie below"), *plain)))
    return Grid("Calibration", (Column("", numeric=False), *(Column(name) for name in sides)), tuple(rows))


def sets_grid(found: ConformalFigures) -> Grid:
    """How sets of classes did."""
    figures = {
        "held it, every class in every group weighing alike": found.group_coverage,
        "held it, every scan weighing alike": found.coverage,
        **{f"… of {name}": figure for name, figure in found.by_class.items()},
        "empty": found.empty,
        "one class": found.single,
        "two classes or more": found.several,
        "wrong among those of one class": found.single_error,
    }
    return _shares(f"Sets meant to hold the reference label in {found.wanted:.0%}", figures)


def answers_grid(figures: Mapping[str, Figure]) -> Grid:
    """What became of the scans; keys as in the answers of ``evaluate --json``."""
    return _shares("What became of the scans", {_ANSWERS[name]: figure for name, figure in figures.items()})


def heatmaps_grid(figures: Mapping[str, Figure]) -> Grid:
    """How well heatmaps find lesion masks; keys as in the heatmaps of ``evaluate --json``."""
    return _shares("Heatmaps on lesion masks", {_HEATMAPS[name]: figure for name, figure in figures.items()})


def _shares(title: str, figures: Mapping[str, Figure]) -> Grid:
    columns = (Column("", numeric=False), Column("share", "95 % interval"))
    return Grid(title, columns, tuple(GridRow((Cell(name), _cell(figure))) for name, figure in figures.items()))


def _cell(figure: Figure) -> Cell:
    return Cell(NO_VALUE if figure.value is None else number(figure.value), interval(figure.low, figure.high))
