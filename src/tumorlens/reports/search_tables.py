"""A search as grids and sentences: the best trials, the test figures by role, and what must be said beside them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from tumorlens.evaluation import RowFigures
from tumorlens.reports.caveats import caveats
from tumorlens.reports.differences import difference_line
from tumorlens.reports.grid import Cell, Column, Grid, GridRow, Tone
from tumorlens.reports.search import DEFAULT, DEFAULT_TUNED, FOUND, SearchRecord
from tumorlens.reports.terminal import grids_to_rich
from tumorlens.reports.wording import NO_VALUE, counted, duration, interval, number
from tumorlens.training import Trial, trial_parts

__all__ = ["ROLE_WORDS", "difference_sentences", "search_sentences", "search_to_rich", "test_grid", "trials_grid"]

ROLE_WORDS = {FOUND: "Found", DEFAULT: "Default", DEFAULT_TUNED: "Default, fine-tuned"}
"""What each role is called."""

_SHOWN = 10


def search_to_rich(record: SearchRecord) -> RenderableType:
    """The best trials, the test figures, and the sentences under them, for a terminal of any width."""
    roles = [f"{ROLE_WORDS[role]}: {chosen.words}." for role, chosen in record.chosen.items()]
    grids = [trials_grid(record, most=_SHOWN), test_grid(record, with_words=False)]
    return grids_to_rich(grids, sentences=[*roles, *search_sentences(record)])


def trials_grid(record: SearchRecord, *, most: int | None = None) -> Grid:
    """Trials by validation loss, those that did not finish last; the ``most`` best of them, or all."""
    ordered = sorted(record.trials, key=lambda trial: (trial.loss is None, trial.loss or 0.0, trial.at))
    shown = ordered[:most]
    columns = (
        Column("Trial", numeric=False),
        Column("Validation", "log loss"),
        Column("Time"),
    )
    title = "All trials" if len(shown) == len(ordered) else f"The best {len(shown)} of {len(ordered)} trials"
    return Grid(title, columns, tuple(_trial_row(trial, record) for trial in shown))


def test_grid(record: SearchRecord, *, with_words: bool = True) -> Grid:
    """What was found and the defaults on the test part, their configurations ``with_words``, then the baselines."""
    ends = next((f"{100 * row.interval.level:g} % interval" for row in record.test.rows if row.interval), "")
    columns = (
        Column("Model", numeric=False),
        Column("Validation", "log loss"),
        Column("Test accuracy", ends),
        Column("Test loss", ends),
        Column("ROC AUC", ends),
    )
    rows = [
        _test_row(
            row,
            Cell(ROLE_WORDS[role], trial_parts(chosen.params)[0] if with_words else ""),
            number(chosen.validation_loss, digits=4),
            tone=_tone(role),
        )
        for role, chosen in record.chosen.items()
        if (row := record.row(role)) is not None
    ]
    rows += [
        _test_row(row, Cell(row.backbone, "baseline"), NO_VALUE, tone="baseline")
        for row in record.test.rows
        if row.kind == "baseline"
    ]
    return Grid("On the test part, opened at the end", columns, tuple(rows))


def search_sentences(record: SearchRecord) -> tuple[str, ...]:
    """What must be known beside the figures, the differences first."""
    return (
        *difference_sentences(record),
        f"What was found is the best of {counted(len(record.trials), 'trial')} on "
        f"{counted(record.validation_scans, 'validation scan')} of {record.validation_groups:,} {_unit(record)}: being "
        "chosen, its validation loss is optimistic. Its test figures are not: no trial was given a scan of the test "
        "part.",
        "MLP heads and fine-tuned networks also choose the epoch that is kept on validation; linear heads choose "
        "nothing there.",
        _openings_sentence(record),
        *record.notes,
        *caveats(record.test),
    )


def difference_sentences(record: SearchRecord) -> list[str]:
    """What was found against each default, with interval and test."""
    said = []
    for role in (DEFAULT, DEFAULT_TUNED):
        difference = record.difference(role)
        if difference is not None:
            line = difference_line(difference).replace(difference.second, f"the {ROLE_WORDS[role].lower()}")
            said.append(f"What was found, {line[0].lower()}{line[1:]}")
    if record.chosen[DEFAULT].run == record.found.run:
        said.append("What was found is the default: no trial was better on validation.")
    if DEFAULT_TUNED in record.chosen and record.chosen[DEFAULT_TUNED].run == record.found.run:
        said.append("What was found is the default fine-tuning: no trial was better on validation.")
    return said


def _openings_sentence(record: SearchRecord) -> str:
    own = record.own_openings
    when = f"at its end, from {own[0]['time']} on" if own else "never"
    runs = counted(len({opening["run"] for opening in own}), "run")
    before = record.openings_before
    earlier = f"others had opened it before, {counted(before, 'time')}" if before else "nobody had opened it before"
    return (
        f"The test part was opened {when}, once for each of {runs}; {earlier}. This search is finished with it: no "
        "further trial can follow."
    )


def _unit(record: SearchRecord) -> str:
    return "scans" if record.test.groups_are == "none" else record.test.groups_are


def _trial_row(trial: Trial, record: SearchRecord) -> GridRow:
    short, rest = trial_parts(trial.params)
    is_found = trial.loss is not None and trial.params == record.found.params
    loss = number(trial.loss, digits=4) if trial.loss is not None else NO_VALUE
    if trial.loss is None and trial.epochs:
        loss = f"({number(min(trial.epochs), digits=4)})"
    cells = (
        Cell(short, ". ".join(filter(None, (rest, trial.reason)))),
        Cell(loss, "" if trial.state == "finished" else trial.state),
        Cell(duration(trial.seconds)),
    )
    return GridRow(cells, "best" if is_found else "plain" if trial.loss is not None else "baseline")


def _tone(role: str) -> Tone:
    return "best" if role == FOUND else "plain"


def _test_row(row: RowFigures, name: Cell, validation: str, *, tone: Tone) -> GridRow:
    if row.collapsed:
        return GridRow((name, Cell(validation), *_collapsed(row)), "collapsed")
    figures: Sequence[tuple[float | None, float | None, float | None]] = (
        (row.test_accuracy, row.test_accuracy_low, row.test_accuracy_high),
        (row.test_loss, row.test_loss_low, row.test_loss_high),
        (row.test_roc_auc, row.test_roc_auc_low, row.test_roc_auc_high),
    )
    return GridRow((name, Cell(validation), *(Cell(number(f), interval(low, high)) for f, low, high in figures)), tone)


def _collapsed(row: RowFigures) -> tuple[Cell, ...]:
    return Cell("collapsed", row.collapsed_because or ""), Cell(number(row.test_loss)), Cell(number(row.test_roc_auc))
