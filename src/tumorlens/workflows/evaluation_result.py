"""What an evaluation gave, and its form in JSON. Computes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tumorlens.bundles import BundleCard, ViewCost
from tumorlens.evaluation import Summary
from tumorlens.evaluation.small_groups import FEW_GROUPS, FEWEST_GROUPS
from tumorlens.workflows.evaluation_findings import GroupFindings
from tumorlens.workflows.evaluation_maps import MapFigures
from tumorlens.workflows.evaluation_rules import RuleFigures

__all__ = ["Evaluation"]

_UNITS = {"patients": "patients", "clusters": "clusters", "none": "single scans"}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of a model on a data set.

    Attributes:
        card: The facts of the model's bundle.
        dataset: Name of the data set.
        external: Whether it is another data set than the model's own.
        summary: The figures.
        rules: How calibration, sets, novelty and the decisions that follow from them did.
        in_training: Scans left out because the model was made with them; ``None`` where that is unknown.
        near_twins: Scans that count and have a near-twin the model was made with; ``None`` where that is unknown.
        by_group: Figures per patient, by level of columns, and where the errors are.
        heatmaps: How well heatmaps find the lesion masks; ``None`` where that was not asked for.
        views: What several views of each scan cost; ``None`` for one.
        notes: What must be said of the figures.
        marks: What must be said with the model or the data ("synthetic", "random weights").
        use: The limits of use, in words.
    """

    card: BundleCard
    dataset: str
    external: bool
    summary: Summary
    rules: RuleFigures
    in_training: int | None
    near_twins: int | None
    by_group: GroupFindings
    heatmaps: MapFigures | None
    views: ViewCost | None
    notes: tuple[str, ...]
    marks: tuple[str, ...]
    use: str

    @property
    def model(self) -> str:
        """Name and digest of the model."""
        return self.card.model

    def to_json(self) -> dict[str, Any]:
        """The keys documented for ``evaluate --json``."""
        found = self.summary
        return {
            "model": self.model,
            "dataset": self.dataset,
            "external": self.external,
            "n_scans": found.n_scans,
            "n_groups": found.n_groups,
            "groups_are": found.groups_are,
            "positive_class": found.positive_class,
            "classes": list(found.classes),
            "prevalence": found.prevalence,
            "level": found.level,
            "draws": found.draws,
            "metrics": {name: asdict(figure) for name, figure in found.metrics.items()},
            "per_class": {
                label: {name: asdict(figure) for name, figure in own.items()} for label, own in found.per_class.items()
            },
            **self.rules.to_json(self.card),
            "in_training": self.in_training,
            "near_twins_of_training": self.near_twins,
            **self.by_group.to_json(),
            "heatmaps": None if self.heatmaps is None else asdict(self.heatmaps),
            "views": None if self.views is None else self.views.to_json(),
            "notes": list(self.notes),
            "marks": list(self.marks),
            "use": self.use,
        }

    @property
    def basis(self) -> str:
        """One sentence on how the intervals were made."""
        found = self.summary
        unit = _UNITS[found.groups_are]
        return (
            f"Per slice: {found.level:.0%} intervals from a bootstrap over {unit} ({found.n_groups}, "
            f"{found.draws:,} draws): percentiles; bootstrap-t or exact for shares and losses with fewer than "
            f"{FEW_GROUPS} {unit} that tell; none below {FEWEST_GROUPS}."
        )
