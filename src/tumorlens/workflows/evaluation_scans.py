"""Predictions for evaluation: stored ones of a run's test part, or new ones for another data set's unseen scans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.bundles import ManyAnswers, Predictor, ViewCost
from tumorlens.datasets import CLUSTER_THRESHOLD, Dataset
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.errors import InputError, IntegrityError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans.digest import pixel_digest
from tumorlens.types import Pixels, Probabilities
from tumorlens.workflows.evaluation_model import EvaluatedModel
from tumorlens.workflows.evaluation_steps import StepsToDo, compare_steps
from tumorlens.workspace import Workspace

__all__ = ["JudgedScans", "own_test_part", "unseen_scans"]


@dataclass(frozen=True)
class JudgedScans:
    """The scans that figures rest on.

    Attributes:
        rows: ``(m,)`` row ids of the data set, ascending.
        probabilities: ``(m, k)`` in the model's class order.
        novelty: ``(m,)`` distance to the training data; ``None`` where the bundle does not offer it.
        in_training: Scans left out because the model was made with them; ``None`` where that is unknown.
        near_twins: Scans among ``rows`` with a near-twin the model was made with; ``None`` where that is unknown.
        notes: What must be said of them.
        one_view: ``(m, k)`` of the scans as they are; ``None`` where ``probabilities`` are those.
        cost: What several views cost; ``None`` for one.
        own_test: Of another data set's scans, how many are of the model's own test part.
    """

    rows: npt.NDArray[np.int64]
    probabilities: Probabilities
    novelty: npt.NDArray[np.float64] | None
    in_training: int | None
    near_twins: int | None
    notes: tuple[str, ...]
    one_view: Probabilities | None = None
    cost: ViewCost | None = None
    own_test: int = 0


def own_test_part(
    model: EvaluatedModel,
    dataset: Dataset,
    *,
    workspace: Workspace,
    views: int = 1,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> JudgedScans:
    """The test part of the run's own data set, with the predictions kept in the run; new ones for several views.

    Raises:
        IntegrityError: They do not belong to these scans.
        InputError: The test part is empty.
    """
    table = model.predictions()
    if not np.array_equal(table["pixel_digest"].to_numpy(dtype=np.str_), dataset.digests):
        raise IntegrityError(
            f"The predictions of {model.card.name} are not of the scans of {dataset.name!r}: train the model again."
        )
    rows = np.flatnonzero((table["part"] == "test").to_numpy())
    if not rows.size:
        raise InputError(f"The test part of {model.card.name} is empty: evaluate it on another data set.")
    twins = _near_twins(model, dataset, rows, workspace=workspace)
    if views > 1:
        steps = compare_steps(model.card.scan_steps, dataset.scan_steps)
        found = _predict(model, dataset, rows, steps, views=views, threads=threads, progress=progress)
        return JudgedScans(rows, found.probabilities, found.novelty, 0, twins, (), found.one_view, found.cost)
    columns = [f"probability_{label}" for label in model.card.labels]
    probabilities = table[columns].to_numpy(dtype=np.float64)[rows]
    novelty = None if model.card.novelty is None else table["novelty"].to_numpy(dtype=np.float64)[rows]
    return JudgedScans(rows, probabilities, novelty, 0, twins, ())


def unseen_scans(
    model: EvaluatedModel,
    dataset: Dataset,
    *,
    workspace: Workspace,
    views: int = 1,
    threads: int | None,
    progress: Progress,
) -> JudgedScans:
    """Predict the scans of another data set that the model was not made with; each distinct content once.

    Raises:
        InputError: The pixels are not what the model expects, or none are left.
    """
    steps = compare_steps(model.card.scan_steps, dataset.scan_steps)
    seen = model.seen()
    known = _digests_after(steps, dataset, progress=progress)
    kept = np.array([seen is None or known[digest] not in seen for digest in dataset.digests], bool)
    rows = np.flatnonzero(kept)
    if not rows.size:
        raise InputError(
            f"The model was made with all {len(dataset)} scans of {dataset.name!r}: evaluate it on other scans."
        )
    answers = _predict(model, dataset, rows, steps, views=views, threads=threads, progress=progress)
    notes = list(steps.notes)
    twins = None
    if not steps.pixel_steps:
        twins = _near_twins(model, dataset, rows, workspace=workspace)
    if model.run is None:
        lack = "Its training scans are unknown" if seen is None else "Only its training part is known"
        notes.append(
            f"The run of this bundle is not in this workspace. {lack}: scans that it was made with may be among these."
        )
    elif twins is None:
        notes.append(
            "Near-twins of training scans were not counted: "
            + (
                "the data set the model was trained on is not in this workspace."
                if not steps.pixel_steps
                else f"the scans here were imported without the model's {steps.pixel_steps.options}."
            )
        )
    in_training = None if seen is None else len(dataset) - len(rows)
    tested = model.tested()
    return JudgedScans(
        rows,
        answers.probabilities,
        answers.novelty,
        in_training,
        twins,
        tuple(notes),
        answers.one_view,
        answers.cost,
        own_test=sum(known[digest] in tested for digest in dataset.digests[rows].tolist()),
    )


def _predict(
    model: EvaluatedModel,
    dataset: Dataset,
    rows: npt.NDArray[np.int64],
    steps: StepsToDo,
    *,
    views: int,
    threads: int | None,
    progress: Progress,
) -> ManyAnswers:
    """Answers for ``rows``, each distinct content computed once."""
    distinct, places = np.unique(dataset.digests[rows], return_inverse=True)
    predictor = Predictor(model.bundle, threads=threads)
    with dataset.open_pixels() as store:
        pixels: Iterator[Pixels] = (steps.apply(store.get(str(digest))) for digest in distinct)
        found = predictor.predict_many(pixels, views=views, total=len(distinct), progress=progress)
    return ManyAnswers(
        found.probabilities[places],
        None if found.novelty is None else found.novelty[places],
        None if found.one_view is None else found.one_view[places],
        found.cost,
    )


def _digests_after(steps: StepsToDo, dataset: Dataset, *, progress: Progress) -> dict[str, str]:
    """Digest of each stored content to its digest once the steps are applied."""
    distinct = np.unique(dataset.digests).tolist()
    if not steps.pixel_steps:
        return {digest: digest for digest in distinct}
    found = {}
    with dataset.open_pixels() as store, progress.task("Preparing scans", total=len(distinct)) as task:
        for digest in distinct:
            found[digest] = pixel_digest(steps.apply(store.get(digest)))
            task.advance()
    return found


def _near_twins(
    model: EvaluatedModel, dataset: Dataset, rows: npt.NDArray[np.int64], *, workspace: Workspace
) -> int | None:
    """Scans whose thumbnail, upright, correlates above 0.94 with that of a scan the model was made with."""
    trained = model.training_thumbnails(workspace)
    if trained is None:
        return None
    if not len(trained):
        return 0
    return int((nearest_similarity(dataset.thumbnails()[rows], trained) > CLUSTER_THRESHOLD).sum())
