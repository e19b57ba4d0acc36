"""The Python face: the same workflows as the command line, with paths as words and the default workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack, overload

from tumorlens import datasets
from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset
from tumorlens.evaluation import parse_wish
from tumorlens.progress import SILENT, Progress
from tumorlens.training import parse_budget
from tumorlens.workflows.compare import CompareSettings, ComparisonResult, compare_networks
from tumorlens.workflows.cross_validation import CrossValidationResult, cross_validate, with_folds
from tumorlens.workflows.ensemble import EnsembleResult, EnsembleSettings, make_ensemble
from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
from tumorlens.workflows.evaluation_result import Evaluation
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.reading_options import mask_options, reading_options
from tumorlens.workflows.report import ReportResult, report_result
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.scratch import ScratchSettings
from tumorlens.workflows.search import SearchResult, search_dataset
from tumorlens.workflows.search_settings import DEFAULT_SIZES, SearchSettings
from tumorlens.workspace import Workspace

__all__ = ["compare", "ensemble", "evaluate", "import_scans", "load_scans", "report", "search"]


def import_scans(
    source: str | Path,
    *,
    name: str,
    labels: str | Path | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    group_pattern: str | None = None,
    class_names: Mapping[str, str] | None = None,
    keep_columns: Sequence[str] = (),
    drop_conflicts: bool = False,
    skip_unreadable: bool = False,
    replace: bool = False,
    synthetic: bool = False,
    window: str = "percentiles",
    plane: str = "axial",
    series: str = "",
    crop: str = "none",
    mask_pattern: str | None = None,
    mask_labels: str | None = None,
    min_lesion_mm2: float = 30.0,
    layout: str | None = None,
    sequence: str = "flair",
    workspace: str | Path | None = None,
    progress: Progress = SILENT,
) -> Dataset:
    """Bring labelled scans into the workspace.

    Args:
        source: A folder (class folders, or images with a CSV; pictures, DICOM files or NIfTI volumes), a ``.zip`` of
            one, or an ``.npz`` file with ``X`` and ``Y``.
        name: What to call the data set.
        labels: CSV with image names and labels.
        image_column: Its column of image names; guessed by default.
        label_column: Its column of labels; guessed by default.
        group_column: Its column of patients.
        group_pattern: Regular expression whose one group finds the patient in a file's relative path.
        class_names: Other names for labels, by label.
        keep_columns: Further CSV columns to keep in the manifest.
        drop_conflicts: Leave out scans that carry two labels instead of raising.
        skip_unreadable: Leave out files that cannot be read instead of raising.
        replace: Replace a data set of the same name.
        synthetic: Mark every result as synthetic.
        window: Grey levels of DICOM and NIfTI: ``percentiles``, ``dicom``, ``dicom:NUMBER`` or ``LOW,HIGH``.
        plane: Plane of DICOM and NIfTI: ``axial``, ``coronal`` or ``sagittal``.
        series: DICOM series to read, such as ``"modality=MR,description=flair"``; blank: all of the plane.
        crop: ``brain`` cuts every scan to the square around the head.
        mask_pattern: Lesion mask beside each NIfTI image, such as ``"{stem}_seg.nii.gz"``.
        mask_labels: Mask values that mean tumour, by commas; all above 0 by default.
        min_lesion_mm2: Tumour area in mm2 from which on a slice counts as tumour.
        layout: ``brats`` for a BraTS folder.
        sequence: Which sequence of such a folder.
        workspace: Folder of the workspace; ``$TUMORLENS_HOME`` or ``./tumorlens-workspace`` by default.
        progress: Told of every file.

    Returns:
        The data set.

    Raises:
        InputError: The scans or labels cannot be used; the message says what to do.
    """
    return datasets.import_scans(
        Path(source),
        workspace=Workspace.locate(workspace).create(),
        name=name,
        labels=None if labels is None else Path(labels),
        image_column=image_column,
        label_column=label_column,
        group_column=group_column,
        group_pattern=group_pattern,
        class_names=class_names or {},
        keep_columns=tuple(keep_columns),
        drop_conflicts=drop_conflicts,
        skip_unreadable=skip_unreadable,
        replace=replace,
        synthetic=synthetic,
        reading=reading_options(window=window, plane=plane, series=series, crop=crop),
        masks=mask_options(
            pattern=mask_pattern,
            labels=mask_labels,
            min_lesion_mm2=min_lesion_mm2,
            layout=layout,
            sequence=sequence,
        ),
        progress=progress,
    ).dataset


def load_scans(name: str, *, workspace: str | Path | None = None) -> Dataset:
    """A data set imported earlier.

    Args:
        name: What it is called.
        workspace: Folder of the workspace.

    Raises:
        NotFoundError: There is none of that name.
    """
    return datasets.load_dataset(Workspace.locate(workspace), name)


class CompareOptions(TypedDict, total=False):
    """The options of :func:`compare` that both of its forms share."""

    backbones: Sequence[str]
    protocol: str
    heads: Sequence[str]
    fine_tune: FineTuneSettings | str | None
    from_scratch: ScratchSettings | bool
    weights: Sequence[str]
    weights_dir: str | Path | None
    size: int
    seed: int
    split_file: str | Path | None
    refit: bool
    sensitivity: float | None
    specificity: float | None
    cost: float | None
    carry_neighbours: bool
    mistake: str | None
    precision: str
    mlflow: str | None
    workspace: str | Path | None
    threads: int | None
    progress: Progress


@overload
def compare(
    scans: Dataset | str, *, folds: None = None, repeats: None = None, **options: Unpack[CompareOptions]
) -> ComparisonResult: ...


@overload
def compare(
    scans: Dataset | str, *, folds: int, repeats: int | None = None, **options: Unpack[CompareOptions]
) -> CrossValidationResult: ...


def compare(
    scans: Dataset | str,
    *,
    folds: int | None = None,
    repeats: int | None = None,
    backbones: Sequence[str] = ("efficientnet-lite0",),
    protocol: str = "grouped",
    heads: Sequence[str] = ("linear",),
    fine_tune: FineTuneSettings | str | None = None,
    from_scratch: ScratchSettings | bool = False,
    weights: Sequence[str] = ("imagenet",),
    weights_dir: str | Path | None = None,
    size: int = 240,
    seed: int = 0,
    split_file: str | Path | None = None,
    refit: bool = False,
    sensitivity: float | None = None,
    specificity: float | None = None,
    cost: float | None = None,
    carry_neighbours: bool = False,
    mistake: str | None = None,
    precision: str = "fp32",
    mlflow: str | None = None,
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ComparisonResult | CrossValidationResult:
    """Compare pretrained networks on a data set.

    Args:
        scans: A data set or its name.
        folds: Cross-validate in so many folds, whole groups at a time, instead of one split: every scan is tested, no
            model is made.
        repeats: How often ``folds`` divides the scans anew; 3 by default.
        backbones: Names of networks.
        protocol: ``grouped`` (fair), or ``study`` (the original study's leaky split).
        heads: Kinds of heads: ``linear``, ``mlp``, ``study``.
        fine_tune: Also train each network further: ``last``, ``half``, ``full``, a stage, or all settings (needs the
            extra ``train``).
        from_scratch: Whether a CNN from scratch is trained too, or all its settings (needs the extra ``train``).
        weights: ``imagenet``, ``random``, a file for the only network, or ``BACKBONE=FILE``.
        weights_dir: Folder with weight files under Keras' names.
        size: Side of the networks' square input in pixels.
        seed: Seed of split, heads and bootstrap.
        split_file: A split to use instead of making one.
        refit: Whether finished runs are made again.
        sensitivity: Choose the threshold of two classes for this sensitivity, on out-of-fold predictions.
        specificity: The same for a specificity.
        cost: The same by cost: a missed positive costs so many false alarms.
        carry_neighbours: Whether bundles carry features and labels of their training scans.
        mistake: For teaching: a mistake to make on purpose beside the right way (``split``, ``scaling`` or
            ``duplicates``); its rows are marked and are never the best.
        precision: What networks compute in once trained: ``fp32``, ``int8`` (where the validation loss allows it; needs
            the extra ``int8``), or ``auto`` (where it is faster on this machine too).
        mlflow: Tracking URI of MLflow, where finished runs are logged too (needs the extra ``mlflow``).
        workspace: Folder of the workspace; where ``scans`` lies by default.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Returns:
        Figures, report, runs and the best model; with ``folds`` figures, report and out-of-fold predictions.

    Raises:
        InputError: A name, weight file or split cannot be used.
    """
    home = scans.path.parent.parent if workspace is None and isinstance(scans, Dataset) else workspace
    settings = CompareSettings(
        backbones=tuple(backbones),
        protocol=protocol,
        heads=tuple(heads),
        fine_tune=FineTuneSettings(fine_tune=fine_tune) if isinstance(fine_tune, str) else fine_tune,
        from_scratch=_scratch_settings(from_scratch),
        weights=tuple(weights),
        weights_dir=None if weights_dir is None else Path(weights_dir),
        size=size,
        seed=seed,
        split_file=None if split_file is None else Path(split_file),
        refit=refit,
        wish=parse_wish(sensitivity=sensitivity, specificity=specificity, cost=cost),
        carry_neighbours=carry_neighbours,
        mistake=mistake,
        precision=precision,
        mlflow=mlflow,
    )
    place = Workspace.locate(home).create()
    if folds is None and repeats is None:
        return compare_networks(scans, settings, workspace=place, threads=threads, progress=progress)
    settings = with_folds(settings, folds, repeats)
    return cross_validate(scans, settings, workspace=place, threads=threads, progress=progress)


def _scratch_settings(from_scratch: ScratchSettings | bool) -> ScratchSettings | None:
    if isinstance(from_scratch, bool):
        return ScratchSettings() if from_scratch else None
    return from_scratch


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


def evaluate(
    model: str | Path | Predictor,
    dataset: Dataset | str,
    *,
    label_map: Mapping[str, str | Sequence[str]] | None = None,
    prevalence: float | None = None,
    by: str | Sequence[str] = (),
    heatmaps: bool = False,
    views: int = 1,
    seed: int = 0,
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Evaluation:
    """All figures of a model with intervals: on the test part of its own data set, or on another data set.

    Args:
        model: A bundle folder, a run folder, the name of a run, or a loaded model such as ``result.best``.
        dataset: A data set or its name.
        label_map: The model's class to the data set's class or classes; the rest goes by name.
        prevalence: Share of the positive class for which predictive values are given too.
        by: Columns of the manifest by whose levels figures are given too, such as ``("scanner",)``.
        heatmaps: Whether heatmaps are scored on the data set's lesion masks too.
        views: Over how many fixed views of each scan (the scan, its mirror image, small turns and scales) probabilities
            are averaged; each costs a pass.
        seed: Seed of the bootstrap.
        workspace: Folder of the workspace; where ``dataset`` lies by default.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Raises:
        InputError: Labels, pixels, prevalence or columns do not fit, or there are no such views.
    """
    home = dataset.path.parent.parent if workspace is None and isinstance(dataset, Dataset) else workspace
    names = (by,) if isinstance(by, str) else tuple(by)
    return evaluate_model(
        str(model.folder if isinstance(model, Predictor) else model),
        dataset,
        EvaluateSettings(
            label_map=label_map or {}, prevalence=prevalence, heatmaps=heatmaps, seed=seed, by=names, views=views
        ),
        workspace=Workspace.locate(home),
        threads=threads,
        progress=progress,
    )


def report(
    what: str | Path | ComparisonResult,
    *,
    out: str | Path | None = None,
    pictures: bool = True,
    data_licence: str = "",
    workspace: str | Path | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ReportResult:
    """Make the report of a run or a comparison from what is stored: page, model card, data sheet, checklists, BibTeX.

    Args:
        what: Name or folder of a run or comparison, or a comparison's result.
        out: Where to; by default beside the run or comparison.
        pictures: Whether scans are shown; outside the workspace they never are.
        data_licence: Licence of the data, for the data sheet.
        workspace: Folder of the workspace; that of a comparison's result by default.
        threads: CPU threads; all by default.
        progress: Told what is left out.

    Raises:
        NotFoundError: There is no such run or comparison.
    """
    home = what.folder.parent.parent if workspace is None and isinstance(what, ComparisonResult) else workspace
    return report_result(
        str(what.folder if isinstance(what, ComparisonResult) else what),
        workspace=Workspace.locate(home),
        out=None if out is None else Path(out),
        pictures=pictures,
        data_licence=data_licence,
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
