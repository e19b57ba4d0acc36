"""The sentences that must stand under a cross-validated comparison: what was tested, what the intervals leave out."""

from __future__ import annotations

from tumorlens.evaluation import TRIVIAL_BASELINE
from tumorlens.reports.caveats import group_sentence, interval_sentence, mark_sentence
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.cross_validation_tables import protocol_words
from tumorlens.reports.differences import difference_sentence
from tumorlens.reports.wording import counted, number, row_title

__all__ = ["cross_validation_caveats"]


def cross_validation_caveats(comparison: CrossValidation) -> tuple[str, ...]:
    """Everything a reader must know beside the figures, most important first."""
    return (
        *(mark_sentence(mark) for mark in comparison.marks),
        _about_testing(comparison),
        *_about_neighbours(comparison),
        *group_sentence(comparison),
        _about_averages(comparison),
        *_about_intervals(comparison),
        "ROC areas are computed inside each fold and averaged: scores of different heads are not on one scale, so the "
        "area of all scores together would mix their calibrations.",
        *difference_sentence(comparison),
        *_about_baseline(comparison),
        *(f"{row_title(row)}: {row.note}" for row in comparison.rows if row.note),
        *comparison.notes,
        f"{RESEARCH_ONLY[0].upper()}{RESEARCH_ONLY[1:]}.",
    )


def _about_testing(comparison: CrossValidation) -> str:
    return (
        f"Cross-validation, {protocol_words(comparison)}, whole {_groups(comparison)} at a time: all scans served for "
        "testing, so nothing is left untouched, and choosing a network by these figures is optimistic. No test part "
        f"was opened and no model was made: tumorlens train {comparison.dataset} --backbone B makes one."
    )


def _about_averages(comparison: CrossValidation) -> str:
    if comparison.repeats == 1:
        return (
            "Every scan was predicted once, by a head fitted on the other folds; further repeats would show how much "
            "the division matters."
        )
    return (
        f"Every scan was predicted by {comparison.repeats} heads, one a repeat, and their probabilities averaged, "
        "which can do a little better than one head: a single head's accuracy is that under “accuracy by repeat”."
    )


def _about_intervals(comparison: CrossValidation) -> list[str]:
    sentences = interval_sentence(comparison, of="of the data set")
    if not any(row.interval for row in comparison.rows):
        return sentences
    unit = _groups(comparison)
    return [
        *sentences,
        f"Intervals and p-values: training variation not included. They say how much figures depend on which {unit} "
        "were tested, not how another training would have done; the spread between repeats stands beside them, and is "
        "itself too small, because the repeats share their scans.",
    ]


def _about_neighbours(comparison: CrossValidation) -> list[str]:
    neighbours = comparison.residual_neighbours
    if neighbours is None:
        return []
    verb = "has" if neighbours.above_095 == 1 else "have"
    return [
        f"{neighbours.above_095:,} of {counted(neighbours.test_scans, 'scan')}, when held out, still {verb} a "
        f"neighbour above 0.95 among the scans trained on, in one repeat or more, {neighbours.above_098:,} above 0.98 "
        "(correlation of thumbnails)."
    ]


def _about_baseline(comparison: CrossValidation) -> list[str]:
    trivial = next((row for row in comparison.rows if row.backbone == TRIVIAL_BASELINE), None)
    networks = [row for row in comparison.rows if row.kind != "baseline" and not row.collapsed]
    if trivial is None or not networks or max(row.test_accuracy for row in networks) > trivial.test_accuracy:
        return []
    return [
        f"No network beats {TRIVIAL_BASELINE} alone ({number(trivial.test_accuracy)}): these classes can be told apart "
        "without looking for tumours."
    ]


def _groups(comparison: CrossValidation) -> str:
    return "scans" if comparison.groups_are == "none" else comparison.groups_are
