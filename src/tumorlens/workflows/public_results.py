"""The Python face of what is said of finished models: the same workflows as ``tumorlens evaluate`` and ``report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.compare import ComparisonResult
from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
from tumorlens.workflows.evaluation_result import Evaluation
from tumorlens.workflows.report import ReportResult, report_result
from tumorlens.workspace import Workspace

__all__ = ["evaluate", "report"]


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
