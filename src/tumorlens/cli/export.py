"""``tumorlens export``: a model as one file for another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.options import JsonOption, QuietOption, ThreadsOption, WorkspaceOption, settings_from

__all__ = ["export"]


def export(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="RUN_OR_BUNDLE", help="Run name, run folder or bundle folder.")],
    format: Annotated[str, typer.Option("--format", metavar="FORMAT", help="onnx, openvino, keras or tflite.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file, or a folder to put it in [default: the model's name here]."),
    ] = None,
    scans: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET|FOLDER",
            help="Scans to compare with the bundle on [default: the run's calibration and validation part].",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Write a model for another program, if it answers there as here. Research output, not for patient care."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.export import export_model

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = export_model(
        model,
        format_name=format,
        out=out,
        scans=scans,
        workspace=settings.workspace,
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.to_json())
        return
    for line in result.to_lines():
        typer.echo(line)
