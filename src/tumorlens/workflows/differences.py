"""The differences that stand under a comparison: the best row against the others, every network against the trivial
baseline; and those of a run against others that it is made from. Which row is best was decided without test scans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation import TRIVIAL_BASELINE, Difference, adjust_holm, paired_difference
from tumorlens.types import Labels
from tumorlens.workflows.baselines import baseline_probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.runs import RunRecord, read_predictions

__all__ = ["rank_differences", "rival_differences"]


def rank_differences(context: RunContext, runs: Sequence[RunRecord], *, best: str | None) -> tuple[Difference, ...]:
    """Set rows of a comparison against each other on its test part, with p-values adjusted for their number.

    Collapsed rows and mistakes made on purpose are left out.

    Args:
        context: Data set and split.
        runs: The runs behind the rows.
        best: Name of the run that is best on validation.

    Returns:
        The best run against every other, then every run against area and brightness.
    """
    judged = [run for run in runs if not run.row.collapsed and run.row.mistake is None]
    right = {run.name: _run_right(context, run) for run in judged}
    pairs = [(best, run.name) for run in judged if run.name != best] if best in right else []
    pairs += [(run.name, TRIVIAL_BASELINE) for run in judged]
    right[TRIVIAL_BASELINE] = _baseline_right(context)
    found = [_difference(context, right, (first, second)) for first, second in pairs if first is not None]
    return _adjusted(found)


def rival_differences(
    context: RunContext, name: str, predicted: Labels, *, rivals: Mapping[str, Labels]
) -> tuple[Difference, ...]:
    """Set the answers of a run that is being made against those of others on the same test part.

    Args:
        context: Data set and split.
        name: What the run is called.
        predicted: ``(n,)`` the labels it decides on, of all rows.
        rivals: ``(n,)`` likewise, by name of the other.
    """
    rows = context.split.rows("test")
    reference = context.dataset.labels[rows]
    right = {who: labels[rows] == reference for who, labels in {**rivals, name: predicted}.items()}
    return _adjusted([_difference(context, right, (name, rival)) for rival in rivals])


def _difference(context: RunContext, right: Mapping[str, npt.NDArray[np.bool_]], names: tuple[str, str]) -> Difference:
    dataset = context.dataset
    return paired_difference(
        right[names[0]],
        right[names[1]],
        names=names,
        groups=dataset.groups[context.split.rows("test")],
        unit="scans" if dataset.groups_are == "none" else dataset.groups_are,
        seed=context.seed,
    )


def _adjusted(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """With p-values adjusted for their number."""
    if any(difference.p is None for difference in found):  # too few groups, and so for all of them
        return tuple(found)
    adjusted = adjust_holm([difference.p for difference in found if difference.p is not None])
    return tuple(replace(difference, p_adjusted=p) for difference, p in zip(found, adjusted, strict=True))


def _run_right(context: RunContext, run: RunRecord) -> npt.NDArray[np.bool_]:
    """Whether a run's label, at its operating point, is the reference label, by test scan."""
    table = read_predictions(run.folder)
    hits = (table["predicted_label"] == table["reference_label"]).to_numpy(dtype=np.bool_)
    return hits[context.split.rows("test")]


def _baseline_right(context: RunContext) -> npt.NDArray[np.bool_]:
    rows = context.split.rows("test")
    predicted = baseline_probabilities(context)[TRIVIAL_BASELINE][rows].argmax(axis=1)
    return np.asarray(predicted == context.dataset.labels[rows], np.bool_)
