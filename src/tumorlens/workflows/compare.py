"""The main job: several networks on one data set and one split, side by side, with baselines and intervals."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from tumorlens.backbones import BackboneSpec, Weights, find_backbone, resolve_weights
from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset, load_dataset, residual_neighbours
from tumorlens.errors import InputError
from tumorlens.evaluation import OperatingWish, best_on_validation
from tumorlens.extras import require_extra
from tumorlens.features import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import MISTAKE, RANDOM_WEIGHTS, Comparison, to_rich
from tumorlens.workflows.audit_short import short_finding
from tumorlens.workflows.baselines import baseline_rows
from tumorlens.workflows.broken import check_mistake, fit_beside, mistake_notes
from tumorlens.workflows.context import RunContext, check_wish
from tumorlens.workflows.differences import rank_differences
from tumorlens.workflows.doctor import machine_facts, version_facts
from tumorlens.workflows.fine_tune import FineTuneSettings, fit_fine_tuned_run
from tumorlens.workflows.fit import Network, fit_backbone, prepare_network
from tumorlens.workflows.heads import HeadKind, find_head
from tumorlens.workflows.mlflow_log import MlflowLog
from tumorlens.workflows.precision import check_precision
from tumorlens.workflows.prepared_scans import Scans, check_crop, choose_scans, choose_steps
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.scratch import ScratchSettings, fit_scratch
from tumorlens.workflows.splits import part_counts, prepare_split
from tumorlens.workflows.write_comparison import write_comparison
from tumorlens.workspace import Workspace, remove_leftovers

__all__ = [
    "CompareSettings",
    "ComparisonResult",
    "compare_networks",
    "comparison_of",
    "find_weights",
    "prepare_networks",
]

_FILE_FOR_BACKBONE = re.compile(r"([a-z0-9-]+)=(.+)")


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """What is compared, and how.

    Attributes:
        backbones: Names of networks.
        protocol: ``grouped``, or ``study`` for the original study's leaky split.
        heads: Kinds of heads; each is fitted on each network.
        fine_tune: How each network is fine-tuned beside its heads; ``None``: not at all.
        from_scratch: How a CNN from scratch is trained too; ``None``: not at all.
        weights: ``imagenet``, ``random``, a file for the only network, or ``BACKBONE=FILE``.
        weights_dir: Folder with weight files under Keras' names.
        size: Side of the networks' square input in pixels.
        crop: ``brain``: scans cut to the square around the head; ``none``: as stored; ``auto``: ``brain`` where
            networks are fine-tuned, else ``none``.
        harmonise: Whether scans are harmonised: skull stripped, cut around the head, grey levels standardised.
        seed: Seed of split, heads and bootstrap.
        split_file: A split to use instead of making one.
        refit: Whether finished runs are made again.
        wish: What the operating point of two classes is to reach.
        carry_neighbours: Whether bundles carry their training scans' features and labels, without names or pixels.
        mistake: A mistake to make on purpose beside the right way: ``split``, ``scaling`` or ``duplicates``.
        precision: What networks compute in once trained: ``fp32``, ``int8`` (where the validation loss allows it), or
            ``auto`` (where it is faster on this machine too).
        mlflow: Tracking URI of MLflow, where finished runs are logged too; ``None``: nowhere.
    """

    backbones: tuple[str, ...]
    protocol: str = "grouped"
    heads: tuple[str, ...] = ("linear",)
    fine_tune: FineTuneSettings | None = None
    from_scratch: ScratchSettings | None = None
    weights: tuple[str, ...] = ("imagenet",)
    weights_dir: Path | None = None
    size: int = 240
    crop: str = "auto"
    harmonise: bool = False
    seed: int = 0
    split_file: Path | None = None
    refit: bool = False
    wish: OperatingWish | None = None
    carry_neighbours: bool = False
    mistake: str | None = None
    precision: str = "fp32"
    mlflow: str | None = None


@dataclass(frozen=True)
class ComparisonResult:
    """A finished comparison and where it lies.

    Attributes:
        comparison: The figures.
        folder: Table, plots and report.
        runs: The runs behind the rows, in their order.
        not_logged: Why MLflow was not told of all of them, in a sentence; empty where it was, or was not to be.
    """

    comparison: Comparison
    folder: Path
    runs: tuple[RunRecord, ...]
    not_logged: str = ""

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def best_run(self) -> RunRecord | None:
        """The run that is best on validation; ``None`` where no row can be chosen."""
        return next((run for run in self.runs if run.name == self.comparison.best), None)

    @property
    def best(self) -> Predictor:
        """The model of :attr:`best_run`, ready to predict.

        Raises:
            InputError: Every row is collapsed or a baseline.
        """
        run = self.best_run
        if run is None:
            raise InputError("Expected a row that tells the classes apart, but none does: there is no best model.")
        return Predictor(run.bundle)

    def table(self) -> None:
        """Print the comparison."""
        console = Console(highlight=False)
        console.print(to_rich(self.comparison))
        if self.not_logged:
            console.print(self.not_logged)

    def to_json(self) -> dict[str, Any]:
        """The document of ``compare --json``."""
        return {**self.comparison.to_json(), "report": str(self.report)}


def compare_networks(
    dataset: str | Dataset,
    settings: CompareSettings,
    *,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ComparisonResult:
    """Compare networks on a data set; what is already computed is not computed again.

    Everything that can be refused (names, weights, extras, split) is checked before long work starts.

    Args:
        dataset: The data set or its name.
        settings: What is compared.
        workspace: Where things are kept.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Returns:
        The comparison, its folder and its runs.

    Raises:
        InputError: A name, weight file or split cannot be used, or MLflow does not answer.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
        MissingExtraError: A head or the CNN from scratch needs TensorFlow, or MLflow is not installed.
    """
    stored = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    specs = [find_backbone(name) for name in settings.backbones]
    check_crop(settings.crop, harmonise=settings.harmonise)
    heads = [find_head(name) for name in settings.heads]
    if settings.fine_tune is not None:
        require_extra("train", purpose="Fine-tuning")
    if settings.from_scratch is not None:
        require_extra("train", purpose="A CNN from scratch")
    elif not specs:
        raise InputError("Expected at least one network after --backbones: tumorlens backbones list names them.")
    check_wish(settings.wish, stored)
    if settings.mistake is not None:
        check_mistake(settings.mistake, protocol=settings.protocol, from_scratch=settings.from_scratch is not None)
        if settings.wish is not None:
            raise InputError(f"--break shows a mistake at the usual threshold: leave out --{settings.wish.kind}.")
        if settings.fine_tune is not None:
            raise InputError("--break shows a mistake with frozen networks: leave out --fine-tune.")
        if settings.precision != "fp32":
            raise InputError("--break shows a mistake in full precision: leave out --precision.")
    fine_tunes = settings.fine_tune is not None
    choose_steps(stored, crop=settings.crop, harmonise=settings.harmonise, fine_tunes=fine_tunes)
    split = prepare_split(stored, protocol=settings.protocol, seed=settings.seed, split_file=settings.split_file)
    for head in heads if specs else ():
        head.check(stored, split, settings.seed)
    check_precision(settings.precision, split)
    log = None if settings.mlflow is None else MlflowLog(settings.mlflow)
    remove_leftovers(workspace.root)
    networks = prepare_networks(specs, settings, workspace=workspace, progress=progress)
    scans = choose_scans(
        Scans(stored, split),
        crop=settings.crop,
        harmonise=settings.harmonise,
        fine_tunes=fine_tunes,
        workspace=workspace,
        progress=progress,
    )
    with FeatureStore(workspace.features) as store:
        context = RunContext(
            workspace=workspace,
            dataset=scans.dataset,
            split=scans.split,
            neighbours=residual_neighbours(scans.dataset, scans.split),
            store=store,
            size=settings.size,
            seed=settings.seed,
            threads=threads,
            refit=settings.refit,
            progress=progress,
            wish=settings.wish,
            carry_neighbours=settings.carry_neighbours,
            precision=settings.precision,
            note=scans.note,
        )
        runs = _fit_all(context, networks, heads, settings)
    comparison = _comparison(context, runs)
    folder = workspace.comparisons / f"{comparison.dataset}-{comparison.protocol}-{_digest(comparison)}"
    write_comparison(folder, comparison, context, runs)
    return ComparisonResult(comparison, folder, tuple(runs), not_logged="" if log is None else log.add(runs))


def prepare_networks(
    specs: Sequence[BackboneSpec], settings: CompareSettings, *, workspace: Workspace, progress: Progress
) -> list[Network]:
    """Find the weights of every network, then convert each.

    Raises:
        InputError: Weights or size cannot be used.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    return [
        prepare_network(spec, weights, size=settings.size, workspace=workspace, progress=progress)
        for spec, weights in zip(specs, find_weights(specs, settings, progress), strict=True)
    ]


def _fit_all(
    context: RunContext,
    networks: Sequence[Network],
    heads: Sequence[HeadKind],
    settings: CompareSettings,
) -> list[RunRecord]:
    runs: list[RunRecord] = []
    for network in networks:
        if settings.mistake is None:
            runs += fit_backbone(context, network, heads)
        else:
            runs += fit_beside(context, network, heads, mistake=settings.mistake)
        if settings.fine_tune is not None:
            runs.append(fit_fine_tuned_run(context, network, settings.fine_tune))
    if settings.from_scratch is not None:
        runs.append(fit_scratch(context, settings.from_scratch))
    return runs


def _comparison(context: RunContext, runs: Sequence[RunRecord]) -> Comparison:
    best = best_on_validation([run.row for run in runs], by_loss=context.wish is not None)
    notes = (*((context.note,) if context.note else ()), *_wish_notes(context), *mistake_notes(context, runs))
    return comparison_of(context, runs, best=None if best is None else best.run, notes=notes)


def comparison_of(
    context: RunContext, runs: Sequence[RunRecord], *, best: str | None, notes: Sequence[str] = ()
) -> Comparison:
    """Set finished runs beside the baselines and against each other on the test part.

    Args:
        context: Data set and split.
        runs: The runs, each once; of a copy of the data set with the same rows too.
        best: Name of the run that was chosen, without test scans.
        notes: Sentences to show before those on the data.
    """
    return Comparison(
        protocol=context.split.protocol,
        dataset=context.dataset.name,
        split_digest=context.split.digest,
        groups_are=context.dataset.groups_are,
        classes=context.dataset.classes,
        positive_class=context.dataset.positive_class,
        residual_neighbours=context.neighbours,
        parts=part_counts(context.dataset, context.split),
        rows=(*baseline_rows(context), *(run.row for run in runs)),
        best=best,
        differences=rank_differences(context, runs, best=best),
        marks=context.marks
        + tuple(mark for mark in (RANDOM_WEIGHTS, MISTAKE) if any(mark in run.marks for run in runs)),
        notes=(*notes, *short_finding(context.dataset)),
        seed=context.split.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=version_facts(),
        machine=machine_facts(),
    )


def _wish_notes(context: RunContext) -> tuple[str, ...]:
    if context.wish is None:
        return ()
    return (
        f"The networks' labels are decided at operating points chosen for a {context.wish.words}, not for accuracy; "
        "the baselines' at one half. The best network is the one with the lowest validation loss.",
    )


def find_weights(specs: Sequence[BackboneSpec], settings: CompareSettings, progress: Progress) -> list[Weights]:
    """The weights of every network, in their order.

    Raises:
        InputError: Weights are named for a network that is not there.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    wanted = _wanted_weights(settings.weights, [spec.name for spec in specs])
    return [
        resolve_weights(spec, weights=wanted[spec.name], weights_dir=settings.weights_dir, progress=progress)
        for spec in specs
    ]


def _wanted_weights(words: Sequence[str], names: Sequence[str]) -> Mapping[str, str]:
    wanted = dict.fromkeys(names, "imagenet")
    for word in sorted(words, key=lambda word: "=" in word):  # what holds for all networks comes before single ones
        match = _FILE_FOR_BACKBONE.fullmatch(word)
        if match is not None and match.group(1) in wanted:
            wanted[match.group(1)] = match.group(2)
        elif word in ("imagenet", "random") or len(names) == 1:
            wanted = dict.fromkeys(names, word)
        else:
            raise InputError(
                f"Expected --weights imagenet, random or BACKBONE=FILE (with one of {', '.join(names)}), got {word!r}."
            )
    return wanted


def _digest(comparison: Comparison) -> str:
    runs = [row.run or row.backbone for row in comparison.rows]
    return hashlib.sha256(json.dumps([comparison.split_digest, runs]).encode()).hexdigest()[:8]
