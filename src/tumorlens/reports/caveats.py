"""The sentences that must stand under every table: what leaks, what intervals rest on."""

from __future__ import annotations

from tumorlens.evaluation import TRIVIAL_BASELINE
from tumorlens.evaluation.small_groups import FEW_GROUPS, FEWEST_GROUPS
from tumorlens.reports.comparison import LEAKY, MISTAKE, RANDOM_WEIGHTS, RESEARCH_ONLY, SYNTHETIC, Comparison
from tumorlens.reports.differences import difference_sentence
from tumorlens.reports.wording import counted, number, row_title

__all__ = ["caveats", "group_sentence", "interval_sentence", "mark_sentence"]

_MARKS = {
    MISTAKE: "Mistake on purpose: rows with these words in their name show what goes wrong. Use neither their figures "
    "nor their models.",
    LEAKY: "Leaky: for comparison with the published table. Neighbouring slices of one patient "
    "stand in training and test, so the figures are likely too high for new patients.",
    SYNTHETIC: "Synthetic: the scans are made up, so no figure says anything about patients.",
    RANDOM_WEIGHTS: "Random weights: a network here was not pretrained; its figures only show that the path works.",
}


def mark_sentence(mark: str) -> str:
    """A mark as a sentence for a banner."""
    return _MARKS.get(mark, mark)


def caveats(comparison: Comparison) -> tuple[str, ...]:
    """Everything a reader must know beside the figures, most important first."""
    sentences = [mark_sentence(mark) for mark in comparison.marks]
    sentences += [
        *_about_neighbours(comparison),
        *group_sentence(comparison),
        *interval_sentence(comparison),
        *difference_sentence(comparison),
        *_about_choice(comparison),
        *_about_losses(comparison),
        *(f"{row_title(row)}: {row.note}" for row in comparison.rows if row.note),
        *comparison.notes,
        f"{RESEARCH_ONLY[0].upper()}{RESEARCH_ONLY[1:]}.",
    ]
    return tuple(sentences)


def _about_neighbours(comparison: Comparison) -> list[str]:
    neighbours = comparison.residual_neighbours
    if neighbours is None:
        return []
    verb = "has" if neighbours.above_095 == 1 else "have"
    return [
        f"{neighbours.above_095:,} of {counted(neighbours.test_scans, 'test scan')} still {verb} "
        f"a training neighbour above 0.95, {neighbours.above_098:,} above 0.98 "
        "(correlation of thumbnails)."
    ]


def group_sentence(comparison: Comparison) -> list[str]:
    """That clusters are not patients; empty where the groups are known."""
    if comparison.groups_are != "clusters":
        return []
    return [
        "Groups are clusters of near-duplicate slices, not patients: slices of one patient may "
        "stand on both sides of the split, and figures for new patients may be lower."
    ]


def interval_sentence(comparison: Comparison, *, of: str = "of the test part") -> list[str]:
    """How the intervals were made, or why there are none.

    Args:
        comparison: Whose intervals.
        of: Whose groups were drawn.
    """
    intervals = [row.interval for row in comparison.rows if row.interval]
    if not intervals:
        return [f"No intervals: they need at least {FEWEST_GROUPS} groups {of}."]
    first = intervals[0]
    sentence = (
        f"Intervals: {100 * first.level:g} %, bootstrap over {first.n_groups:,} "
        f"{first.unit} {of}, {first.draws:,} draws."
    )
    if first.unit == "scans":
        sentence += " Scans were drawn one by one, which is too narrow where scans resemble each other."
    elif first.n_groups < FEW_GROUPS:
        sentence += f" With fewer than {FEW_GROUPS} {first.unit} those of the ROC area are likely too narrow."
    if any(interval.method in ("bootstrap-t", "effective sample size") for interval in intervals):
        sentence += (
            f" Where fewer than {FEW_GROUPS} {first.unit} hold an error, or a right answer, the accuracy's is a "
            "bootstrap-t or an exact interval."
        )
    if any(interval.method == "exact binomial" for interval in intervals):
        sentence += (
            " Where every test scan is right, or every one wrong, the interval is exact binomial "
            f"with one trial a {first.unit[:-1]}."
        )
    if any(row.interval and row.test_roc_auc == 1.0 for row in comparison.rows):
        sentence += " A ROC area of exactly 1 has none, because no draw differs from another."
    return [sentence]


def _about_choice(comparison: Comparison) -> list[str]:
    best = comparison.best_row
    if best is None:
        return []
    chosen = f"Best on validation: {row_title(best)}. The test part played no role in the choice."
    trivial = next((row for row in comparison.rows if row.backbone == TRIVIAL_BASELINE), None)
    if trivial is None or best.test_accuracy > trivial.test_accuracy:
        return [chosen]
    return [
        chosen,
        f"On the test part it does not beat {TRIVIAL_BASELINE} alone ({number(trivial.test_accuracy)}): "
        "these classes can be told apart without looking for tumours.",
    ]


def _about_losses(comparison: Comparison) -> list[str]:
    if not any(row.published for row in comparison.rows):
        return []
    penalties = [
        f"{row.loss_penalty:.3f} for {row_title(row)}"
        for row in comparison.rows
        if row.loss_penalty is not None and row.published
    ]
    sentence = "Published losses include the L2 penalty, ours do not"
    return [f"{sentence} (add {', '.join(penalties)})." if penalties else f"{sentence}."]
