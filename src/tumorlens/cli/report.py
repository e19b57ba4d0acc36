"""``tumorlens report``: the report of a stored run or comparison, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.options import JsonOption, QuietOption, ThreadsOption, WorkspaceOption, settings_from

__all__ = ["report"]


def report(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RUN|COMPARISON", help="Name or folder of a run or comparison.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report [default: beside the run or comparison].")
    ] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Show no scans.")] = False,
    data_licence: Annotated[str, typer.Option(metavar="TEXT", help="Licence of the data, for the data sheet.")] = "",
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Make the page, model card, data sheet, checklists and references of a run or comparison from what is stored."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.workflows.report import report_result

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = report_result(
        name,
        workspace=settings.workspace,
        out=out,
        pictures=not no_pictures,
        data_licence=data_licence,
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.to_json())
        return
    typer.echo(f"Report:     {result.page}")
    typer.echo(f"Beside it:  {', '.join(file.name for file in result.files[1:] if file.parent == result.folder)}")
    print_next(*result.next_commands[:1])
