"""The Python face of comparisons: the same workflows as ``tumorlens compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack, overload

from tumorlens.datasets import Dataset
from tumorlens.evaluation import parse_wish
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.compare import CompareSettings, ComparisonResult, compare_networks
from tumorlens.workflows.cross_validation import CrossValidationResult, cross_validate, with_folds
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.scratch import ScratchSettings
from tumorlens.workspace import Workspace

__all__ = ["compare"]


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
    crop: str
    harmonise: bool
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
    crop: str = "auto",
    harmonise: bool = False,
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
        crop: ``brain``: scans cut to the square around the head, all networks on the same ones; ``none``: as stored;
            ``auto``: ``brain`` with ``fine_tune``, else ``none``.
        harmonise: Whether scans are harmonised, for use on scans of other sources: skull stripped, cut around the head,
            grey levels standardised.
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
        crop=crop,
        harmonise=harmonise,
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
