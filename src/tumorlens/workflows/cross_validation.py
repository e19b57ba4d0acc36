"""Repeated grouped cross-validation: several networks on all scans of a data set, every one of them tested.

It makes no model and opens no test part; the ledger of openings is not its business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tumorlens.backbones import find_backbone
from tumorlens.datasets import Dataset, load_dataset, prepare_dataset, repeat_folds, residual_in_folds
from tumorlens.errors import InputError
from tumorlens.features import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import CrossValidation, cross_validation_to_rich
from tumorlens.training import check_groups
from tumorlens.workflows.audit_short import short_finding
from tumorlens.workflows.compare import CompareSettings, prepare_networks
from tumorlens.workflows.doctor import machine_facts, version_facts
from tumorlens.workflows.fold_context import FoldContext
from tumorlens.workflows.fold_rows import baseline_fold_rows, fold_differences, network_fold_rows
from tumorlens.workflows.fold_store import FinishedRow
from tumorlens.workflows.heads import HEADS, FoldFit, HeadKind, find_head
from tumorlens.workflows.prepared_scans import check_crop, choose_steps
from tumorlens.workflows.write_cross_validation import train_commands, write_cross_validation
from tumorlens.workspace import Workspace, remove_leftovers

__all__ = ["CrossValidationResult", "CrossValidationSettings", "cross_validate", "with_folds"]

DEFAULT_REPEATS = 3
"""How often the scans are divided where nobody says."""


@dataclass(frozen=True, kw_only=True)
class CrossValidationSettings(CompareSettings):
    """What is compared, and how; settings that only one split has are refused.

    Attributes:
        folds: Number of folds, at least 2.
        repeats: How often the scans are divided anew, at least 1.
    """

    folds: int
    repeats: int = DEFAULT_REPEATS


def with_folds(settings: CompareSettings, folds: int | None, repeats: int | None) -> CrossValidationSettings:
    """The settings of a comparison, for a cross-validation.

    Args:
        settings: Of a comparison.
        folds: Number of folds.
        repeats: How often the scans are divided anew; ``None``: :data:`DEFAULT_REPEATS`.

    Raises:
        InputError: The folds are missing.
    """
    if folds is None:
        raise InputError(f"Expected --folds with --repeats {repeats}: give the number of folds, such as --folds 5.")
    return CrossValidationSettings(**vars(settings), folds=folds, repeats=repeats or DEFAULT_REPEATS)


@dataclass(frozen=True)
class CrossValidationResult:
    """A finished cross-validated comparison and where it lies. There is no model in it.

    Attributes:
        comparison: The figures.
        folder: Tables, plots, report and out-of-fold predictions.
    """

    comparison: CrossValidation
    folder: Path

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def predictions(self) -> Path:
        """The table of out-of-fold predictions."""
        return self.folder / "predictions.parquet"

    @property
    def next_commands(self) -> list[str]:
        """Commands that make models of the networks compared."""
        return train_commands(self.comparison)

    def table(self) -> None:
        """Print the comparison."""
        Console(highlight=False).print(cross_validation_to_rich(self.comparison))

    def to_json(self) -> dict[str, Any]:
        """The document of ``compare --folds N --json``."""
        return {**self.comparison.to_json(), "report": str(self.report)}


def cross_validate(
    dataset: str | Dataset,
    settings: CrossValidationSettings,
    *,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> CrossValidationResult:
    """Compare networks by repeated cross-validation over groups; what is already computed is not computed again.

    Everything that can be refused is checked before long work starts.

    Args:
        dataset: The data set or its name.
        settings: What is compared.
        workspace: Where things are kept.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Returns:
        The comparison and its folder.

    Raises:
        InputError: A name, weight file or setting cannot be used, or there are too few groups.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    _check_settings(settings)
    stored = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    specs = [find_backbone(name) for name in settings.backbones]
    heads = [_foldable(name) for name in settings.heads]
    steps = choose_steps(stored, crop=settings.crop, harmonise=settings.harmonise, fine_tunes=False)
    folds = repeat_folds(stored, folds=settings.folds, repeats=settings.repeats, seed=settings.seed)
    remove_leftovers(workspace.root)
    networks = prepare_networks(specs, settings, workspace=workspace, progress=progress)
    scans = stored
    if steps:
        scans = prepare_dataset(workspace, stored, steps, progress=progress)
        folds = repeat_folds(scans, folds=settings.folds, repeats=settings.repeats, seed=settings.seed)
    with FeatureStore(workspace.features) as store:
        context = FoldContext(
            workspace=workspace,
            dataset=scans,
            folds=folds,
            store=store,
            seed=settings.seed,
            threads=threads,
            refit=settings.refit,
            progress=progress,
        )
        _check_inside(context)
        rows = baseline_fold_rows(context)
        for network in networks:
            rows += network_fold_rows(context, network, heads)
    comparison = _comparison(context, rows)
    name = f"{scans.name}-cv{folds.folds}x{folds.repeats}-{_digest(context, rows)}"
    folder = workspace.comparisons / name
    write_cross_validation(folder, comparison, context, rows)
    return CrossValidationResult(comparison, folder)


def _check_settings(settings: CrossValidationSettings) -> None:
    check_crop(settings.crop, harmonise=settings.harmonise)
    of_one_split = {
        f"--protocol {settings.protocol}": settings.protocol != "grouped",
        "--from-scratch": settings.from_scratch is not None,
        "--fine-tune": settings.fine_tune is not None,
        "--split": settings.split_file is not None,
        "--break": settings.mistake is not None,
    }
    for option, given in of_one_split.items():
        if given:
            raise InputError(f"{option} needs one split, but --folds makes folds of its own: leave out one of the two.")
    of_a_model = {
        f"--{settings.wish.kind}" if settings.wish else "": settings.wish is not None,
        "--carry-neighbours": settings.carry_neighbours,
        f"--precision {settings.precision}": settings.precision != "fp32",
        "--mlflow": settings.mlflow is not None,
    }
    for option, given in of_a_model.items():
        if given:
            raise InputError(f"{option} is for a model, but --folds makes none: leave it out, or leave out --folds.")
    if not settings.backbones:
        raise InputError("Expected at least one network after --backbones: tumorlens backbones list names them.")


def _foldable(name: str) -> tuple[HeadKind, FoldFit]:
    kind = HEADS.get(name)
    if kind is not None and kind.fit_fold is None:
        able = ", ".join(other.name for other in HEADS.values() if other.fit_fold is not None)
        raise InputError(
            f"Expected --head {able} with --folds, got {name!r}, which needs one split: leave out --folds."
        )
    head = find_head(name)
    assert head.fit_fold is not None
    return head, head.fit_fold


def _check_inside(context: FoldContext) -> None:
    """Raise now where the scans outside a fold could not be divided once more to choose a strength."""
    for repeat in range(context.folds.repeats):
        for fold in range(context.folds.folds):
            trained_on, _ = context.folds.sides(repeat, fold)
            check_groups(
                context.dataset.labels[trained_on],
                context.folds.units[trained_on].astype(np.str_),
                n_classes=len(context.dataset.classes),
                seed=context.seed + repeat,
            )


def _comparison(context: FoldContext, rows: Sequence[FinishedRow]) -> CrossValidation:
    dataset = context.dataset
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist()
    marks = dict.fromkeys(mark for one in rows for mark in one.marks)
    return CrossValidation(
        protocol="cross-validation",
        dataset=dataset.name,
        split_digest=context.folds.digest,
        groups_are=dataset.groups_are,
        classes=dataset.classes,
        positive_class=dataset.positive_class,
        residual_neighbours=residual_in_folds(dataset, context.folds),
        parts={"test": dict(zip(dataset.classes, counts, strict=True))},
        rows=tuple(one.row for one in rows),
        differences=fold_differences(context, rows),
        marks=(*context.marks, *marks),
        notes=tuple(short_finding(dataset)),
        seed=context.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=version_facts(),
        machine=machine_facts(),
        folds=context.folds.folds,
        repeats=context.folds.repeats,
    )


def _digest(context: FoldContext, rows: Sequence[FinishedRow]) -> str:
    facts = [
        context.dataset.digest,
        context.folds.digest,
        context.seed,
        version("tumorlens"),
        [one.key for one in rows],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]
