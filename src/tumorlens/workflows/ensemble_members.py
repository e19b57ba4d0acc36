"""The runs an ensemble may be made from: found, verified, and checked to belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.bundles import GRAPH_FILE, BundleCard, read_card, verify_files
from tumorlens.bundles.card import CARD_FILE
from tumorlens.datasets import Dataset, Split, load_dataset, load_split
from tumorlens.errors import InputError, IntegrityError
from tumorlens.runtime.ensemble_graphs import GraphMember
from tumorlens.types import Probabilities
from tumorlens.workflows.report_details import probability_columns
from tumorlens.workflows.runs import RunRecord, find_run, read_predictions
from tumorlens.workspace import Workspace

__all__ = ["Candidate", "Member", "find_candidates", "find_ground"]

_FEWEST = 2


@dataclass(frozen=True)
class Candidate:
    """A finished run that may become a member.

    Attributes:
        run: The run.
        card: Its bundle's facts.
    """

    run: RunRecord
    card: BundleCard

    @property
    def graph(self) -> Path:
        """Its bundle's graph."""
        return self.run.bundle / GRAPH_FILE

    def probabilities(self) -> Probabilities:
        """``(n, k)`` calibrated, of all rows of the data set, as they are kept in the run."""
        table = read_predictions(self.run.folder)
        return table[probability_columns(self.card.labels)].to_numpy(dtype=np.float64)


@dataclass(frozen=True)
class Member(Candidate):
    """A run that was taken into the ensemble.

    Attributes:
        weight: What it counts, above 0 and up to 1.
    """

    weight: float

    def in_graph(self, graph: Any = None) -> GraphMember:
        """It as part of the joined graph.

        Args:
            graph: A graph in memory in the place of its own.
        """
        assert self.card.head is not None  # members are single models
        return GraphMember(
            self.graph if graph is None else graph,
            self.weight,
            temperature=self.card.temperature,
            map_adds_up=self.card.head["input"] == "flat",
        )

    def facts(self) -> dict[str, Any]:
        """What the ensemble's card says of it."""
        card = self.card
        return {
            "model": card.model,
            "digest": card.digest,
            "weight": self.weight,
            "backbone": card.backbone,
            "head": card.head,
            "size": card.size,
            "temperature": card.temperature,
            "shift": list(card.shift),
        }


def find_candidates(names: Sequence[str], *, workspace: Workspace) -> tuple[Candidate, ...]:
    """The runs of these names, sorted by name, so that their order plays no role.

    Raises:
        NotFoundError: There is no such run.
        InputError: They are fewer than two, of different data or splits, or one of them cannot be a member.
        IntegrityError: A run or its bundle is damaged.
    """
    different = sorted(set(names))
    if len(different) < _FEWEST:
        raise InputError(
            f"An ensemble needs at least two different runs, got {', '.join(different) or 'none'}: "
            "tumorlens runs list shows them."
        )
    found = tuple(_candidate(name, workspace) for name in different)
    _check_alike(found)
    return found


def find_ground(candidates: Sequence[Candidate], *, workspace: Workspace) -> tuple[Dataset, Split]:
    """The data set and the split that the runs were made on.

    Raises:
        NotFoundError: The data set is not in the workspace.
        InputError: It was changed, or the split is not kept with it.
    """
    first = candidates[0].run
    config = first.config["run"]
    dataset = load_dataset(workspace, str(config["dataset"]))
    digests = read_predictions(first.folder)["pixel_digest"].to_numpy(dtype=np.str_)
    if dataset.digest != config["manifest_digest"] or not np.array_equal(digests, dataset.digests):
        raise InputError(f"The data set {dataset.name!r} is not what the runs were made with: train them again on it.")
    kept = dataset.splits / f"{config['protocol']}-{first.split_digest[:12]}.json"
    if not kept.is_file():
        raise InputError(
            f"The split {first.split_digest[:12]} of the runs is not kept with {dataset.name!r} any more: "
            "train them again."
        )
    return dataset, load_split(kept, dataset=dataset)


def _candidate(name: str, workspace: Workspace) -> Candidate:
    run = find_run(workspace, name)
    if run.row.mistake is not None:
        raise InputError(f"The run {name} was made with a mistake on purpose: leave it out.")
    if run.row.members is not None:
        raise InputError(f"The run {name} is an ensemble itself: give its members ({', '.join(run.row.members)}).")
    if not (run.bundle / CARD_FILE).is_file():
        raise IntegrityError(f"The run {name} has no bundle any more: train it again or leave it out.")
    card = read_card(run.bundle)
    verify_files(run.bundle, card)
    return Candidate(run, card)


def _check_alike(candidates: Sequence[Candidate]) -> None:
    """Raise unless all were made on the same parts of the same scans."""
    must_be_one: tuple[tuple[str, Callable[[Candidate], object], str], ...] = (
        ("data set", lambda one: one.card.manifest_digest, "train them on one data set"),
        ("protocol", lambda one: one.run.config["run"]["protocol"], "grouped and leaky runs are never mixed"),
        ("split", lambda one: one.card.split_digest, "train them with one --seed or --split"),
        (
            "steps between file and graph",
            lambda one: one.card.scan_steps,
            "train them with one --crop, import scans alike",
        ),
    )
    first = candidates[0]
    for what, of, advice in must_be_one:
        other = next((one for one in candidates if of(one) != of(first)), None)
        if other is not None:
            raise InputError(
                f"All runs of an ensemble must have the same {what}, but {first.run.name} and {other.run.name} differ: "
                f"{advice}."
            )
