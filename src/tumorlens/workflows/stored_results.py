"""What is stored of a run or a comparison, gathered for a report. Computes no figure and opens no test part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.bundles import BundleCard, read_card
from tumorlens.bundles.card import CARD_FILE
from tumorlens.datasets import PARTS, Dataset, load_dataset, load_split
from tumorlens.errors import InputError, IntegrityError, NotFoundError
from tumorlens.evaluation import GroupsAre
from tumorlens.reports import Comparison
from tumorlens.workflows.runs import METRICS_FILE, RunRecord, list_runs, read_predictions, read_run
from tumorlens.workflows.splits import PROTOCOLS
from tumorlens.workspace import Workspace

__all__ = ["BASELINES_FILE", "StoredResult", "find_result", "read_comparison", "stored_comparison"]

COMPARISON_FILE = "comparison.json"
BASELINES_FILE = "baselines.parquet"
"""The baselines' probabilities on the test part, by ``baseline`` and ``row_id``, in a comparison's folder."""

_SHOWN_NAMES = 3


@dataclass(frozen=True)
class StoredResult:
    """A run or a comparison as it lies in the workspace.

    Attributes:
        name: Name of the run, or of the comparison's folder.
        folder: Where it lies.
        single: Whether it is a run.
        comparison: The figures; of a run its row, with the baselines of a comparison that holds it.
        runs: By name, the runs behind the rows that are still there.
        dataset: The data set as it was; ``None`` where it is gone or was changed.
        baselines: Probabilities of the baselines; ``None`` where they were not kept.
        notes: What is missing, in sentences.
    """

    name: str
    folder: Path
    single: bool
    comparison: Comparison
    runs: Mapping[str, RunRecord]
    dataset: Dataset | None
    baselines: pd.DataFrame | None
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> RunRecord | None:
        """The run that texts and errors are about: the run itself, or the best on validation."""
        return self.runs.get(self.name if self.single else self.comparison.best or "")

    @property
    def card(self) -> BundleCard | None:
        """The facts of its bundle; ``None`` where the bundle is gone."""
        run = self.shown
        return None if run is None or not (run.bundle / CARD_FILE).is_file() else read_card(run.bundle)


def find_result(words: str, *, workspace: Workspace) -> StoredResult:
    """Find a run or a comparison by its name in the workspace, or by its folder.

    Raises:
        NotFoundError: It is neither; the message lists some that are there.
        InputError: It is a comparison that has no split of its own.
        IntegrityError: What is stored is damaged.
    """
    for folder in (workspace.runs / words, Path(words).resolve()):
        if (folder / METRICS_FILE).is_file():
            return _stored_run(read_run(folder), workspace)
    for folder in (workspace.comparisons / words, Path(words).resolve()):
        if (folder / COMPARISON_FILE).is_file():
            return _read_stored(folder, workspace)
    raise NotFoundError(
        f"Expected the name or folder of a run ({_some(run.name for run in list_runs(workspace))}) or of a comparison "
        f"({_some(path.name for path in _comparisons(workspace))}), got {words!r}: tumorlens runs list shows the runs."
    )


def stored_comparison(
    folder: Path,
    comparison: Comparison,
    runs: Sequence[RunRecord],
    *,
    dataset: Dataset | None,
    baselines: pd.DataFrame | None,
    notes: tuple[str, ...] = (),
) -> StoredResult:
    """A comparison with what lies behind it.

    Args:
        folder: Where it lies, or will.
        comparison: The figures.
        runs: The runs behind its rows.
        dataset: The scans.
        baselines: Probabilities of the baselines.
        notes: What is missing.
    """
    by_name = {run.name: run for run in runs}
    return StoredResult(folder.name, folder, False, comparison, by_name, dataset, baselines, notes)


def read_comparison(folder: Path) -> Comparison:
    """Read ``comparison.json``.

    Raises:
        IntegrityError: It is damaged.
    """
    try:
        document = json.loads((folder / COMPARISON_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{folder / COMPARISON_FILE} is damaged: run the comparison again.") from error
    return Comparison.from_json(document)


def _read_stored(folder: Path, workspace: Workspace) -> StoredResult:
    comparison = read_comparison(folder)
    if comparison.protocol not in PROTOCOLS:
        raise InputError(
            f"Expected a comparison on one split ({' or '.join(PROTOCOLS)}), but {folder.name} is by "
            f"{comparison.protocol}: read the report.html in its folder."
        )
    wanted = [row.run for row in comparison.rows if row.run]
    runs = [read_run(workspace.runs / name) for name in wanted if (workspace.runs / name / METRICS_FILE).is_file()]
    gone = sorted(set(wanted) - {run.name for run in runs})
    lost = [f"The run {name} is not in this workspace any more: its plots are left out." for name in gone]
    right = [run for run in runs if run.row.mistake is None] or runs
    dataset, missing = _dataset_of(right[0] if right else None, comparison.dataset, workspace)
    baselines = _read_baselines(folder)
    notes = (*lost, *missing, *_without_curves(comparison, baselines))
    return stored_comparison(folder, comparison, runs, dataset=dataset, baselines=baselines, notes=notes)


def _stored_run(run: RunRecord, workspace: Workspace) -> StoredResult:
    name = str(run.config["run"]["dataset"])
    dataset, notes = _dataset_of(run, name, workspace)
    home = _newest_with(run, workspace)
    if home is None:
        held, baselines = _lone_comparison(run, dataset), None
        none_here = f"no comparison here holds it (tumorlens compare {name} makes one)"
        why = none_here if run.row.mistake is None else "it was made with a mistake on purpose"
        notes += (f"No baselines beside it: {why}.",)
    else:
        held, baselines = read_comparison(home), _read_baselines(home)
        notes += _without_curves(held, baselines)
    comparison = replace(
        held,
        rows=(*(row for row in held.rows if row.kind == "baseline"), run.row),
        parts=_part_counts(read_predictions(run.folder), held.classes),
        best=None,
        differences=run.differences,
        marks=run.marks,
        notes=(),
        created=run.created,
        versions=dict(run.config.get("versions", held.versions)),
    )
    return StoredResult(run.name, run.folder, True, comparison, {run.name: run}, dataset, baselines, notes)


def _newest_with(run: RunRecord, workspace: Workspace) -> Path | None:
    """The newest comparison that holds the run, or a member of it, among its rows; ``None`` for mistakes, whose
    baselines are others'.
    """
    names = {run.name, *(run.row.members or ())}
    found = []
    for folder in _comparisons(workspace) if run.row.mistake is None else ():
        with suppress(IntegrityError):  # one that cannot be read says nothing about this run
            held = read_comparison(folder)
            if held.split_digest == run.split_digest and any(row.run in names for row in held.rows):
                found.append((held.created, folder))
    return max(found)[1] if found else None


def _lone_comparison(run: RunRecord, dataset: Dataset | None) -> Comparison:
    """The figures of a run that stands in no comparison."""
    config = run.config["run"]
    positive = None
    classes = tuple(run.row.per_class)
    if (run.bundle / CARD_FILE).is_file():
        card = read_card(run.bundle)
        positive = card.operating_point.positive_class if card.operating_point else None
    unit = run.row.interval.unit if run.row.interval else "scans"
    groups_are: GroupsAre = dataset.groups_are if dataset else "none" if unit == "scans" else unit
    return Comparison(
        protocol=config["protocol"],
        dataset=config["dataset"],
        split_digest=run.split_digest,
        groups_are=groups_are,
        classes=classes,
        positive_class=positive,
        residual_neighbours=None,
        parts={},
        rows=(),
        seed=_split_seed(dataset, run),
    )


def _split_seed(dataset: Dataset | None, run: RunRecord) -> int | None:
    """The seed kept with the split in the data set's folder."""
    if dataset is None:
        return None
    try:
        kept = dataset.splits / f"{run.config['run']['protocol']}-{run.split_digest[:12]}.json"
        return load_split(kept, dataset=dataset).seed
    except (InputError, IntegrityError):
        return None


def _dataset_of(run: RunRecord | None, name: str, workspace: Workspace) -> tuple[Dataset | None, tuple[str, ...]]:
    """The data set a run was made with, unchanged, else a sentence that says why not."""
    lost = "so its flow of numbers, its scans and all figures over its groups are left out."
    try:
        dataset = load_dataset(workspace, name)
    except NotFoundError:
        return None, (f"The data set {name!r} is not in this workspace, {lost}",)
    if run is None:
        return None, (f"None of the runs is here, so it is not known whether {name!r} is still the same data set.",)
    predicted = read_predictions(run.folder)["pixel_digest"].to_numpy(dtype=np.str_)
    if dataset.digest != run.config["run"]["manifest_digest"] or not np.array_equal(predicted, dataset.digests):
        return None, (f"The data set {name!r} is not what the run was made with, {lost}",)
    return dataset, ()


def _without_curves(comparison: Comparison, baselines: pd.DataFrame | None) -> tuple[str, ...]:
    if baselines is not None or all(row.kind != "baseline" for row in comparison.rows):
        return ()
    return ("The baselines' curves are left out: their answers were not kept with this comparison.",)


def _read_baselines(folder: Path) -> pd.DataFrame | None:
    file = folder / BASELINES_FILE
    if not file.is_file():
        return None
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{file} is damaged: run the comparison again.") from error


def _part_counts(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = table.groupby(["part", "reference_label"]).size().to_dict()
    found = {part: {name: int(counts.get((part, name), 0)) for name in classes} for part in PARTS}
    return {part: row for part, row in found.items() if sum(row.values())}


def _comparisons(workspace: Workspace) -> list[Path]:
    """Folders of comparisons, the newest first."""
    files = [
        path for path in workspace.comparisons.glob(f"*/{COMPARISON_FILE}") if not path.parent.name.startswith(".")
    ]
    return [path.parent for path in sorted(files, key=lambda path: (-path.stat().st_mtime, path.parent.name))]


def _some(names: Iterable[str]) -> str:
    shown = list(names)[:_SHOWN_NAMES]
    return ", ".join(shown) if shown else "none yet"
