"""Finished runs become one model: the weighted mean of their calibrated probabilities.

Members and weights are chosen on the validation part by greedy selection, or all runs count alike. The calibration
part, on which each member was calibrated before, then calibrates the average and sets its limits as for any other run.
The test part is opened once, for the ensemble's figures and its difference to the best single run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tumorlens.bundles import Predictor
from tumorlens.datasets import residual_neighbours
from tumorlens.errors import InputError
from tumorlens.evaluation import (
    SELECTION_ROUNDS,
    Classifier,
    OperatingWish,
    Selection,
    best_on_validation,
    equal_weights,
    select_members,
)
from tumorlens.features import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import difference_line
from tumorlens.runtime import compile_graph
from tumorlens.runtime.ensemble_graphs import ensemble_graph
from tumorlens.types import Features, Probabilities
from tumorlens.workflows.context import RunContext, check_wish
from tumorlens.workflows.ensemble_members import Candidate, Member, find_candidates, find_ground
from tumorlens.workflows.ensemble_model import EnsembleModel, members_precision
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.rules import labels_for_wish
from tumorlens.workflows.runs import EnsembleConfig, RunRecord, find_finished
from tumorlens.workflows.trained_networks import ROWS_FOR_SPREAD
from tumorlens.workflows.write_run import write_run
from tumorlens.workspace import Workspace, check_name, remove_leftovers

__all__ = ["ENSEMBLE", "EnsembleResult", "EnsembleSettings", "make_ensemble"]

ENSEMBLE = "ensemble"
"""Stands in the place of a backbone's name."""

_SELECTED = "Members and weights were chosen on the validation part, so its validation figures are optimistic"
_AVERAGED = "All members count alike"
_TIME = "time and memory are without those of the members' own runs"


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings:
    """What is joined, and how.

    Attributes:
        runs: Names of runs.
        take_all: Whether all count alike, instead of being chosen on validation.
        name: What to call the new run; by default a name that follows from what it is made of.
        seed: Seed of the bootstrap and of folds of the calibration part.
        refit: Whether a finished ensemble is made again.
        wish: What the operating point of two classes is to reach.
        carry_neighbours: Whether the bundle carries its training scans' features and labels, without names or pixels.
    """

    runs: tuple[str, ...]
    take_all: bool = False
    name: str | None = None
    seed: int = 0
    refit: bool = False
    wish: OperatingWish | None = None
    carry_neighbours: bool = False


@dataclass(frozen=True)
class EnsembleResult:
    """A finished ensemble.

    Attributes:
        run: Its run.
    """

    run: RunRecord

    @property
    def members(self) -> dict[str, float]:
        """What each member counts, by run, the heaviest first."""
        return dict(self.run.row.members or {})

    @property
    def model(self) -> Predictor:
        """Its model, ready to predict."""
        return Predictor(self.run.bundle)

    def to_lines(self) -> list[str]:
        """What to tell a person."""
        members = [f"{weight:6.3f}  {name}" for name, weight in self.members.items()]
        return [
            "Weights of the members:",
            *members,
            self.run.to_line(),
            *(difference_line(difference) for difference in self.run.differences),
            str(self.run.row.note),
            f"Model: {self.run.bundle}",
        ]

    def to_json(self) -> dict[str, Any]:
        """The document of ``ensemble --json``."""
        return {**self.run.answer(), "differences": self.run.to_json()["differences"]}


def make_ensemble(
    settings: EnsembleSettings, *, workspace: Workspace, threads: int | None = None, progress: Progress = SILENT
) -> EnsembleResult:
    """Join runs into one, or find the finished ensemble of just these.

    Args:
        settings: What is joined, and how.
        workspace: Where the runs lie.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Raises:
        NotFoundError: There is no such run, or its data set is gone.
        InputError: The runs do not belong together, no average of them is better than one alone, or the name is taken.
        IntegrityError: A run or its bundle is damaged.
    """
    candidates = find_candidates(settings.runs, workspace=workspace)
    dataset, split = find_ground(candidates, workspace=workspace)
    check_wish(settings.wish, dataset)
    remove_leftovers(workspace.root)
    with FeatureStore(workspace.features) as store:
        context = RunContext(
            workspace=workspace,
            dataset=dataset,
            split=split,
            neighbours=residual_neighbours(dataset, split),
            store=store,
            size=max(size for one in candidates for size in one.card.sizes),
            seed=settings.seed,
            threads=threads,
            refit=settings.refit,
            progress=progress,
            wish=settings.wish,
            carry_neighbours=settings.carry_neighbours,
        )
        config = _config(context, candidates, settings)
        _check_name(workspace, config)
        finished = None if settings.refit else find_finished(workspace, config)
        if finished is not None:
            progress.say("This ensemble was finished earlier, nothing to compute.")
            return EnsembleResult(finished)
        return EnsembleResult(_make(context, candidates, config))


def _config(context: RunContext, candidates: tuple[Candidate, ...], settings: EnsembleSettings) -> EnsembleConfig:
    return EnsembleConfig(
        **context.config_facts(),
        members=tuple(one.card.model for one in candidates),
        selection="all" if settings.take_all else "greedy",
        rounds=0 if settings.take_all else SELECTION_ROUNDS,
        wanted_name=settings.name or "",
    )


def _check_name(workspace: Workspace, config: EnsembleConfig) -> None:
    """Raise where the wanted name is none, or another run has it."""
    if not config.wanted_name:
        return
    check_name(config.wanted_name, of="run")
    if (workspace.runs / config.name).exists() and find_finished(workspace, config) is None:
        raise InputError(
            f"Another run is called {config.name}: choose another --name, or remove it (tumorlens runs remove)."
        )


def _make(context: RunContext, candidates: tuple[Candidate, ...], config: EnsembleConfig) -> RunRecord:
    with ResourceMeter() as meter:
        selection = _select(context, candidates, config)
        members = _members(candidates, selection)
        probabilities, features = _answers(context, members)
        best = best_on_validation([one.run.row for one in candidates], by_loss=context.wish is not None)
        chosen = _SELECTED if config.selection == "greedy" else _AVERAGED
        model = EnsembleModel(
            classifier=Classifier(
                kind="ensemble",
                backbone=ENSEMBLE,
                note=f"{chosen}; {_TIME}.",
                members={member.run.name: member.weight for member in members},
            ),
            probabilities=probabilities,
            features=features[:ROWS_FOR_SPREAD],
            pooled=features.__getitem__,
            marks=tuple(dict.fromkeys(mark for one in members for mark in one.run.marks if mark not in context.marks)),
            precision=members_precision(members),
            candidates=candidates,
            selection=selection,
            members=members,
            config=config,
            best_single={
                one.run.name: labels_for_wish(context, one.probabilities())
                for one in candidates
                if best is not None and one.run.name == best.run
            },
        )
        return write_run(context, config, model, meter)


def _select(context: RunContext, candidates: tuple[Candidate, ...], config: EnsembleConfig) -> Selection:
    rows = context.split.rows("validation")
    given = [one.probabilities()[rows] for one in candidates]
    labels = context.dataset.labels[rows]
    if config.selection == "all":
        return equal_weights(labels, given)
    if not len(rows):
        raise InputError("The split of these runs has no validation part to choose on: average them all with --all.")
    return select_members(labels, given, rounds=config.rounds)


def _members(candidates: tuple[Candidate, ...], selection: Selection) -> tuple[Member, ...]:
    """Those that count, the heaviest first.

    Raises:
        InputError: One alone is the best.
    """
    pairs = zip(candidates, selection.weights, strict=True)
    members = [Member(one.run, one.card, weight) for one, weight in pairs if weight > 0]
    if len(members) == 1:
        raise InputError(
            f"No average of these runs has a lower loss on the validation part than {members[0].run.name} alone: use "
            "that run, or average them all with --all."
        )
    return tuple(sorted(members, key=lambda member: (-member.weight, member.run.name)))


def _answers(context: RunContext, members: tuple[Member, ...]) -> tuple[Probabilities, Features]:
    """Mean probabilities and joined features of all rows, by the joined graph, which each distinct scan passes once."""
    graph = ensemble_graph([member.in_graph() for member in members])
    network = compile_graph(graph, outputs=["probabilities", "features"], threads=context.threads)
    digests, place = np.unique(context.dataset.digests, return_inverse=True)
    probabilities, features = [], []
    with (
        context.dataset.open_pixels() as pixels,
        context.progress.task("Ensemble: answers", total=len(digests)) as task,
    ):
        for _, outputs in network.stream(enumerate(map(pixels.get, digests))):
            probabilities.append(outputs["probabilities"][0].astype(np.float64))
            features.append(outputs["features"][0])
            task.advance()
    return np.array(probabilities)[place], np.array(features)[place]
