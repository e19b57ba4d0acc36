"""How a model's rules did on the scans it is judged by: calibration, sets of classes, novelty, and what it answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.bundles import BundleCard
from tumorlens.evaluation import ConformalFigures, Figure, conformal_figures, conformal_sets
from tumorlens.evaluation.bootstrap import Resampling, Unit, resample_groups
from tumorlens.evaluation.calibration_figures import CalibrationFigures, calibration_figures
from tumorlens.evaluation.figure import share_figures
from tumorlens.reports.grid import Grid
from tumorlens.reports.rules_grids import answers_grid, calibration_grid, sets_grid
from tumorlens.runtime import UNCALIBRATED, uncalibrate
from tumorlens.types import Labels, Probabilities

__all__ = ["AnswerFigures", "RuleFigures", "judge_rules", "rules_grids"]


@dataclass(frozen=True)
class AnswerFigures:
    """What became of the scans by the order of precedence, shares in 0..1.

    Attributes:
        unlike: Share called unlike the training data; without a value where that is not offered.
        error_accepted: Share of wrong labels among the others.
        error_unlike: Share of wrong labels among those.
        undecided: Share called undecided.
        answered: Share that got a label in the end.
        error_answered: Share of wrong labels among those.
    """

    unlike: Figure
    error_accepted: Figure
    error_unlike: Figure
    undecided: Figure
    answered: Figure
    error_answered: Figure


@dataclass(frozen=True)
class RuleFigures:
    """Figures of a bundle's rules.

    Attributes:
        before: Calibration of the uncalibrated probabilities; ``None`` where nothing was calibrated, and of means over
            views.
        after: Calibration of the probabilities as shipped.
        conformal: How its sets did; ``None`` where they are not offered.
        answers: What became of the scans.
        of_views: Whether the probabilities are means over several views of each scan.
    """

    before: CalibrationFigures | None
    after: CalibrationFigures
    conformal: ConformalFigures | None
    answers: AnswerFigures
    of_views: bool = False

    def to_json(self, card: BundleCard) -> dict[str, Any]:
        """The keys ``calibration``, ``conformal``, ``novelty_rate`` and ``answers`` of ``evaluate --json``."""
        return {
            "calibration": {
                "before": None if self.before is None else self.before.to_json(),
                "after": self.after.to_json(),
                "temperature": card.temperature,
                "shift": list(card.shift),
                "basis": f"{card.calibration} That holds for one view, not for the mean over several."
                if self.of_views
                else card.calibration,
            },
            "conformal": None if self.conformal is None else asdict(self.conformal),
            "novelty_rate": self.answers.unlike.value,
            "answers": asdict(self.answers),
            "not_offered": list(card.not_offered),
        }


def judge_rules(
    card: BundleCard,
    labels: Labels,
    probabilities: Probabilities,
    predicted: Labels,
    *,
    novelty: npt.NDArray[np.float64] | None,
    groups: npt.NDArray[np.str_],
    unit: Unit,
    one_view: Probabilities | None = None,
    seed: int = 0,
) -> RuleFigures:
    """Judge a bundle's rules on scans that it was not made with.

    Args:
        card: The bundle.
        labels: ``(n,)`` reference labels, indices into the card's.
        probabilities: ``(n, k)`` as the bundle gives them.
        predicted: ``(n,)`` the labels at its operating point.
        novelty: ``(n,)`` distances to the training data; ``None`` where the bundle does not offer them.
        groups: ``(n,)``.
        unit: What a group is.
        one_view: ``(n, k)`` of the scans as they are, on which the sets rest, where ``probabilities`` are means over
            several views; ``None`` where they are of one view.
        seed: Of the bootstrap.
    """
    resampling = resample_groups(groups, n_scans=labels.size, unit=unit, seed=seed)
    owners = groups if resampling is None or unit != "scans" else np.arange(labels.size).astype(np.str_)
    point = card.operating_point
    positive = None if point is None else card.labels.index(point.positive_class)

    def calibration(given: Probabilities) -> CalibrationFigures:
        return calibration_figures(labels, given, positive=positive, groups=owners, resampling=resampling, seed=seed)

    of_views = one_view is not None
    has_before = not of_views and card.scaling != UNCALIBRATED
    scores = probabilities if one_view is None else one_view
    sets = None if card.conformal is None else conformal_sets(scores, card.conformal.thresholds)
    return RuleFigures(
        before=calibration(uncalibrate(probabilities, card.scaling)) if has_before else None,
        after=calibration(probabilities),
        conformal=None
        if sets is None or card.conformal is None
        else conformal_figures(sets, labels, classes=card.labels, wanted=card.conformal.wanted, resampling=resampling),
        answers=_answers(card, labels, predicted, sets, novelty, resampling),
        of_views=of_views,
    )


def _answers(
    card: BundleCard,
    labels: Labels,
    predicted: Labels,
    sets: npt.NDArray[np.bool_] | None,
    novelty: npt.NDArray[np.float64] | None,
    resampling: Resampling | None,
) -> AnswerFigures:
    every = np.ones(labels.size, bool)
    wrong = predicted != labels
    unlike = ~every if novelty is None or card.novelty is None else novelty > card.novelty.threshold
    only = np.eye(len(card.labels), dtype=bool)[predicted]
    open_ = ~every if sets is None else (sets != only).any(axis=1)
    answered = ~unlike & ~open_
    found = share_figures(
        {
            "unlike": (unlike, every),
            "error_accepted": (wrong & ~unlike, ~unlike),
            "error_unlike": (wrong & unlike, unlike),
            "undecided": (open_ & ~unlike, every),
            "answered": (answered, every),
            "error_answered": (wrong & answered, answered),
        },
        resampling=resampling,
    )
    if card.novelty is None:
        found["unlike"] = found["error_unlike"] = Figure(None)
    if card.conformal is None:
        found["undecided"] = Figure(None)
    return AnswerFigures(**found)


def rules_grids(card: BundleCard, found: RuleFigures) -> tuple[Grid, ...]:
    """Tables of a bundle's rules, those that it does not offer left out."""
    alone = "mean over views" if found.of_views else "as shipped" if card.members else "not calibrated"
    grids = [calibration_grid(found.before, found.after, alone=alone)]
    if found.conformal is not None:
        grids.append(sets_grid(found.conformal))
    if card.novelty is not None or card.conformal is not None:
        answers = found.answers
        grids.append(answers_grid({entry.name: getattr(answers, entry.name) for entry in fields(answers)}))
    return tuple(grids)
