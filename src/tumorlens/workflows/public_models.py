"""The Python face of better models and of export: ``tumorlens search``, ``ensemble`` and ``export`` as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset
from tumorlens.evaluation import parse_wish
from tumorlens.progress import SILENT, Progress
from tumorlens.training import parse_budget
from tumorlens.workflows.ensemble import EnsembleResult, EnsembleSettings, make_ensemble
from tumorlens.workflows.export import ExportResult, export_model
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.search import SearchResult, search_dataset
from tumorlens.workflows.search_settings import DEFAULT_SIZES, SearchSettings
from tumorlens.workspace import Workspace

__all__ = ["ensemble", "export_bundle", "search"]


def ensemble(
    runs: Sequence[str | RunRecord],
    *,
    take_all: bool = False,
    name: str | None = None,
    seed: int = 0,
    refit: bool = False,
    sensitivity: float | None = None,
    specificity: float | None = None,
    cost: float | None = None,
    carry_neighbours: bool = False,
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> EnsembleResult:
    """Join finished runs of one split into one model: the weighted mean of their calibrated probabilities.

    Args:
        runs: Two or more runs, such as ``result.runs`` of a comparison, or their names.
        take_all: Whether all count alike; by default members and weights are chosen greedily on the validation part.
        name: What to call the new run; by default a name that follows from what it is made of.
        seed: Seed of the bootstrap.
        refit: Whether a finished ensemble is made again.
        sensitivity: Choose the threshold of two classes for this sensitivity, on the validation part.
        specificity: The same for a specificity.
        cost: The same by cost: a missed positive costs so many false alarms.
        carry_neighbours: Whether the bundle carries features and labels of its training scans.
        workspace: Folder of the workspace; that of the first run by default.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Returns:
        The run, with its members' weights and the difference to the best of them.

    Raises:
        NotFoundError: There is no such run.
        InputError: The runs do not belong together, or no average of them is better than one alone.
    """
    first = next((run for run in runs if isinstance(run, RunRecord)), None)
    home = first.folder.parent.parent if workspace is None and first is not None else workspace
    settings = EnsembleSettings(
        runs=tuple(run.name if isinstance(run, RunRecord) else run for run in runs),
        take_all=take_all,
        name=name,
        seed=seed,
        refit=refit,
        wish=parse_wish(sensitivity=sensitivity, specificity=specificity, cost=cost),
        carry_neighbours=carry_neighbours,
    )
    return make_ensemble(settings, workspace=Workspace.locate(home).create(), threads=threads, progress=progress)


def export_bundle(
    model: str | Path | Predictor | RunRecord,
    format: str,
    *,
    out: str | Path | None = None,
    scans: Dataset | str | Path | None = None,
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ExportResult:
    """Write a model for another program, after it has answered as its bundle does on at least 32 held-out scans.

    Args:
        model: A bundle folder, a run folder, the name of a run, a run, or a loaded model such as ``result.best``.
        format: ``"onnx"`` (extra ``export``), ``"openvino"``, ``"keras"`` or ``"tflite"`` (extra ``train``).
        out: The file, or a folder to put it in; by default the model's name in this folder.
        scans: What to compare on: a data set or its name, or a folder of scans; by default the calibration and
            validation part of the model's own data set, else synthetic scans.
        workspace: Folder of the workspace; that of a run by default.
        threads: CPU threads; all by default.
        progress: Told of each step.

    Returns:
        The files, and the report that lies beside them.

    Raises:
        InputError: There is no such format, or it cannot hold the model.
        MissingExtraError: What writes the format is not installed.
        TumorlensError: The export differs from the bundle; nothing was written.
    """
    home = model.folder.parent.parent if workspace is None and isinstance(model, RunRecord) else workspace
    words = model.folder if isinstance(model, Predictor | RunRecord) else model
    return export_model(
        str(words),
        format_name=format,
        out=None if out is None else Path(out),
        scans=None if scans is None else scans.name if isinstance(scans, Dataset) else str(scans),
        workspace=Workspace.locate(home),
        threads=threads,
        progress=progress,
    )


def search(
    scans: Dataset | str,
    *,
    budget: str | None = None,
    trials: int | None = None,
    backbones: Sequence[str] | None = None,
    sizes: Sequence[int] = DEFAULT_SIZES,
    crop: bool = True,
    fine_tune: bool | None = None,
    weights: Sequence[str] = ("imagenet",),
    weights_dir: str | Path | None = None,
    seed: int = 0,
    split_file: str | Path | None = None,
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> SearchResult:
    """Search for a better configuration than the default, on the validation part; go on with one that was stopped.

    Args:
        scans: A data set or its name.
        budget: Time in all, such as ``"20m"``; 30 minutes by default.
        trials: Number of trials instead of a time.
        backbones: Names of networks; by default EfficientNet-Lite0 and all whose weights are at hand.
        sizes: Sides of the networks' square input in pixels.
        crop: Whether scans cut around the head are tried too.
        fine_tune: Whether networks are fine-tuned too; by default where the extra ``train`` is installed.
        weights: ``imagenet``, ``random``, a file for the only network, or ``BACKBONE=FILE``.
        weights_dir: Folder with weight files under Keras' names.
        seed: Seed of split, trials, heads and bootstrap.
        split_file: A split to use instead of making one.
        workspace: Folder of the workspace; where ``scans`` lies by default.
        threads: CPU threads; all by default.
        progress: Told of every trial.

    Returns:
        What was found, as an ordinary run, set against the default on the test part, which was opened once, at the end.

    Raises:
        InputError: A setting cannot be used, or the search was begun with other ones or is finished.
        MissingExtraError: Optuna (extra ``search``) is not installed.
    """
    home = scans.path.parent.parent if workspace is None and isinstance(scans, Dataset) else workspace
    settings = SearchSettings(
        budget=None if budget is None else parse_budget(budget),
        trials=trials,
        backbones=None if backbones is None else tuple(backbones),
        sizes=tuple(sizes),
        crop=crop,
        fine_tune=fine_tune,
        weights=tuple(weights),
        weights_dir=None if weights_dir is None else Path(weights_dir),
        seed=seed,
        split_file=None if split_file is None else Path(split_file),
    )
    return search_dataset(
        scans, settings, workspace=Workspace.locate(home).create(), threads=threads, progress=progress
    )
