"""``tumorlens evaluate``: figures of a finished model on a data set."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    TestViewsOption,
    ThreadsOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["evaluate"]


def evaluate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="RUN_OR_BUNDLE", help="Run name, run folder or bundle folder.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Name of a data set.")],
    label_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="TRAINED=HERE", help="The model's class, then the data set's (again for others)."
        ),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(metavar="P", help="Give predictive values at this share of the positive class too, 0..1."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="COLUMN", help="Give figures by level of a manifest column too; may be repeated."),
    ] = None,
    heatmaps: Annotated[
        bool, typer.Option("--heatmaps", help="Also score heatmaps on the data set's lesion masks (two classes).")
    ] = False,
    views: TestViewsOption = 1,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """All figures of a model, with intervals: on its own test part, or on another data set."""
    from tumorlens.cli.output import print_json, print_table
    from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
    from tumorlens.workflows.evaluation_labels import parse_label_map

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = evaluate_model(
        model,
        dataset,
        EvaluateSettings(
            label_map=parse_label_map(label_map or []),
            prevalence=prevalence,
            by=by or (),
            heatmaps=heatmaps,
            views=views,
        ),
        workspace=settings.workspace,
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.to_json())
        return
    from tumorlens.cli.evaluation_table import evaluation_table

    print_table(evaluation_table(result))
