"""``tumorlens predict``: what a bundle says about scans."""

from __future__ import annotations

from pathlib import Path
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

__all__ = ["predict"]


def predict(
    context: typer.Context,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Bundle folder, run folder or run name.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Scans, or folders of scans.")],
    heatmaps: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Also write, for each answer, a picture of where its score came from, and the raw map."
        ),
    ] = None,
    similar: Annotated[
        bool, typer.Option("--similar", help="Also name the training scans that are most alike by features.")
    ] = False,
    heatmap_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="With --heatmaps: a finer map, of the scan at N pixels; the answer stays that of the own size.",
        ),
    ] = None,
    views: TestViewsOption = 1,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Print class and probability for each scan. Research output, not for patient care."""
    from tumorlens.bundles import (
        Predictor,
        check_words,
        find_bundle,
        fixed_views,
        predict_files,
        total_cost,
        views_words,
    )
    from tumorlens.cli.output import print_json
    from tumorlens.errors import InputError
    from tumorlens.explanation import HeatmapFolder

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    if heatmap_size is not None and heatmaps is None:
        raise InputError("--heatmap-size is for the pictures of --heatmaps DIR: give a folder for them too.")
    fixed_views(views)  # a bad number is refused before anything is read
    predictor = Predictor(
        find_bundle(bundle, runs=settings.workspace.runs), threads=settings.threads, heatmap_size=heatmap_size
    )
    pictures = None if heatmaps is None else HeatmapFolder(heatmaps)
    failures = 0
    marks = dict.fromkeys(predictor.card.marks)
    costs = []
    for answer in predict_files(predictor, paths, views=views, progress=settings.progress):
        if answer.error is not None:
            failures += 1
            typer.echo(f"Error: {answer.error}", err=True)
        elif answer.prediction is not None:
            heatmap = answer.prediction.heatmap
            picture = None if pictures is None else str(pictures.write(heatmap))
            if settings.json:
                facts = {"heatmap": picture, "heatmap_check": heatmap.check if picture else None}
                print_json({**answer.prediction.to_json(), **facts}, one_line=True)
            else:
                typer.echo(answer.prediction.to_line())
                if similar:
                    typer.echo(answer.prediction.similar_line())
                marks.update(dict.fromkeys(answer.prediction.marks))
                costs += [] if answer.prediction.views is None else [answer.prediction.views.cost]
    if not settings.json:
        if pictures is not None:
            typer.echo(f"Heatmaps: {pictures.count} in {pictures.folder} (.png to look at, .npy raw)")
            typer.echo(check_words(None if heatmap_size is not None else predictor.card.heatmap_check))
        cost = total_cost(costs)
        viewed = () if cost is None else (views_words(views), cost.words)
        for mark in (*marks, predictor.card.calibration, *viewed, *predictor.card.not_offered, predictor.card.use):
            typer.echo(mark)
    if failures:
        raise typer.Exit(code=2)
