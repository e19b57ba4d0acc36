"""What trials of a search are given: the training and validation parts, and nothing of any other scan.

Rows of the calibration and test parts are not masked but left out, labels and pixel digests with them, so that no trial
can read what decides nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.datasets import Dataset, ResidualNeighbours
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import CUT
from tumorlens.training import Place, Sizes
from tumorlens.training.search_space import AS_STORED, BRAIN
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fit import Network, prepare_network
from tumorlens.workflows.prepared_scans import Scans, prepared_scans, steps_done
from tumorlens.workspace import Workspace

__all__ = ["Ground", "find_scans", "rows_of", "stand_on", "without_test"]


@dataclass(frozen=True)
class Ground:
    """What trials stand on.

    Attributes:
        contexts: By crop, a context that holds training and validation rows alone.
        weights: By network.
        n_all: Scans of the whole data set: what the last step has to answer.
        networks: Networks prepared so far, by name and size.
    """

    contexts: Mapping[str, RunContext]
    weights: Mapping[str, tuple[BackboneSpec, Weights]]
    n_all: int
    networks: dict[tuple[str, int], Network] = field(default_factory=dict)

    @property
    def sizes(self) -> Sizes:
        """Numbers of scans."""
        parts = self.contexts[AS_STORED].split.sizes()
        return Sizes(parts["train"], parts["validation"], self.n_all)

    def context(self, place: Place) -> RunContext:
        """The scans at a place."""
        return self.contexts[place.crop]

    def network(self, place: Place) -> Network:
        """The network of a place, converted.

        Raises:
            InputError: The size does not fit it.
        """
        key = (place.backbone, place.size)
        if key not in self.networks:
            context = self.contexts[AS_STORED]
            spec, weights = self.weights[place.backbone]
            self.networks[key] = prepare_network(
                spec, weights, size=place.size, workspace=context.workspace, progress=context.progress
            )
        return self.networks[key]


def stand_on(
    context: RunContext, scans: Mapping[str, Scans], weights: Mapping[str, tuple[BackboneSpec, Weights]]
) -> Ground:
    """What trials are given of these scans: see :func:`without_test`.

    Args:
        context: Of the whole data set.
        scans: By crop.
        weights: By network.
    """
    contexts = {
        crop: without_test(replace(context, dataset=found.dataset, split=found.split)) for crop, found in scans.items()
    }
    return Ground(contexts, weights, len(context.dataset))


def find_scans(
    stored: Scans, *, crop: bool, workspace: Workspace, progress: Progress
) -> tuple[dict[str, Scans], list[str]]:
    """The scans as stored and, where that can be, their copy cut around the head, with the same split row by row.

    Args:
        stored: The data set with its split.
        crop: Whether the copy is wanted.
        workspace: Where it is made or found.
        progress: Told of every scan.

    Returns:
        Both by crop, and what must be said of it.
    """
    found = {AS_STORED: stored}
    if not crop:
        return found, []
    done = steps_done(stored.dataset)
    if done:
        return found, [f"The scans went through {done.options} already, so a crop is not searched over."]
    try:
        found[BRAIN] = prepared_scans(stored, CUT, workspace=workspace, progress=progress)
    except InputError as error:
        return found, [f"A crop is not searched over. {error}"]
    return found, []


def without_test(context: RunContext) -> RunContext:
    """The same context with the rows of the training and validation parts alone."""
    rows = np.flatnonzero(np.isin(context.split.parts, ["train", "validation"]))
    dataset = rows_of(context.dataset, rows)
    split = make_split(
        context.split.parts[rows],
        pixel_digests=dataset.digests,
        protocol=context.split.protocol,
        seed=context.split.seed,
        groups_are=context.split.groups_are,
    )
    return replace(context, dataset=dataset, split=split, neighbours=ResidualNeighbours(0, 0, 0))


def rows_of(dataset: Dataset, rows: npt.NDArray[np.int64]) -> Dataset:
    """Some rows of a data set."""
    return replace(dataset, manifest=dataset.manifest.iloc[rows].reset_index(drop=True))
