"""An ensemble as a run folder is made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorlens.evaluation import Selection
from tumorlens.reports import MemberFacts
from tumorlens.runtime import Calibration
from tumorlens.runtime.ensemble_graphs import ensemble_graph, write_ensemble_graph
from tumorlens.runtime.randomised_graphs import randomised_graph
from tumorlens.types import Labels
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.ensemble_members import Candidate, Member
from tumorlens.workflows.map_check import check_run_maps
from tumorlens.workflows.precision import FULL_PRECISION, PrecisionChoice
from tumorlens.workflows.runs import EnsembleConfig
from tumorlens.workflows.trained import RunModel

__all__ = ["EnsembleModel", "members_precision"]


@dataclass(frozen=True, kw_only=True)
class EnsembleModel(RunModel):
    """Several finished models that answer together.

    Attributes:
        candidates: All runs that were given, in the order of the selection's indices.
        selection: What each of them counts, and how that came about.
        members: Those that count.
        config: What decides the result.
        best_single: Name of the run that would have been taken alone, and ``(n,)`` the labels it decides on by the same
            wish; empty where there is none to take.
    """

    candidates: tuple[Candidate, ...]
    selection: Selection
    members: tuple[Member, ...]
    config: EnsembleConfig
    best_single: Mapping[str, Labels]

    @property
    def rivals(self) -> Mapping[str, Labels]:
        """The best single run."""
        return self.best_single

    @property
    def threshold_basis(self) -> str:
        """The validation part, which chose members, or whatever single members let it choose."""
        chose = "chose its members" if self.config.selection == "greedy" else "may have chosen epochs of its members"
        return f"the validation part, which {chose} too,"

    @property
    def as_given(self) -> str:
        """The mean; each member was calibrated on the calibration part before, where that helped it."""
        return "the weighted mean of the members' own calibrated ones, not calibrated again"

    def history(self) -> list[dict[str, Any]]:
        """Each model as it joined."""
        return [
            {
                "joined": count,
                "added": self.candidates[step.added].run.name,
                "val_loss": step.loss,
                "val_accuracy": step.accuracy,
                "kept": step.kept,
            }
            for count, step in enumerate(self.selection.steps, start=1)
        ]

    def settings(self) -> dict[str, dict[str, Any]]:
        """How members were chosen."""
        return {
            "ensemble": {
                "selection": self.config.selection,
                "rounds": self.config.rounds,
                "chosen_from": len(self.candidates),
            }
        }

    def card_facts(self) -> dict[str, Any]:
        """The members with weights and digests; no network, head or size of its own."""
        return {
            "backbone": None,
            "head": None,
            "size": None,
            "members": tuple(member.facts() for member in self.members),
        }

    def methods_facts(self, config: EnsembleConfig) -> dict[str, Any]:
        """The members, and from how many they were chosen."""
        return {
            "size": None,
            "members": tuple(_member_facts(member) for member in self.members),
            "chosen_from": len(self.candidates) if config.selection == "greedy" else 0,
        }

    def write_graph(self, path: Path, calibration: Calibration) -> None:
        """Join the members' graphs."""
        write_ensemble_graph([member.in_graph() for member in self.members], calibration=calibration, out=path)

    def write_keras(self, path: Path, calibration: Calibration) -> None:
        """Write nothing: to train on, take a member."""

    def check_maps(self, context: RunContext, bundle_graph: Path) -> dict[str, Any] | None:
        """Against the same ensemble with shuffled weights in each member's network."""

        def randomise(share: float) -> Any:
            return ensemble_graph(
                [
                    member.in_graph(randomised_graph(member.graph, share=share, seed=context.seed))
                    for member in self.members
                ]
            )

        return check_run_maps(context, bundle_graph=bundle_graph, randomise=randomise)


def members_precision(members: Sequence[Member]) -> PrecisionChoice:
    """What an ensemble computes in: what all its members do, else ``mixed``."""
    used = {member.card.precision for member in members}
    if used == {"fp32"}:
        return FULL_PRECISION
    count = sum(member.card.precision == "int8" for member in members)
    words = f"{count} of {len(members)} members compute in int8."
    return PrecisionChoice("int8" if used == {"int8"} else "mixed", words)


def _member_facts(member: Member) -> MemberFacts:
    card = member.card
    assert card.backbone is not None and card.head is not None and card.size is not None  # members are single models
    return MemberFacts(
        network=str(card.backbone["title"]),
        citation=str(card.backbone.get("paper", "")),
        head=str(card.head["kind"]),
        size=card.size,
        weight=member.weight,
    )
