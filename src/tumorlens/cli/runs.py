"""``tumorlens runs``: what was trained in this workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import JsonOption, QuietOption, WorkspaceOption, settings_from

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show and remove runs.")

_RUN = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run.")]


@app.command("list")
def list_(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """List the runs of the workspace."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.runs import list_runs

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    runs = list_runs(settings.workspace)
    if settings.json:
        print_json([run.to_json() for run in runs])
        return
    for run in runs:
        typer.echo(run.to_line())
    if not runs:
        typer.echo("No runs yet.")
        typer.echo("Next:  tumorlens compare NAME")


@app.command("show")
def show(
    context: typer.Context,
    name: _RUN,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Show a run's figures and files, and how often its test part was opened."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.ledger import count_openings
    from tumorlens.workflows.runs import find_run

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    run = find_run(settings.workspace, name)
    openings = count_openings(settings.workspace, run.split_digest)
    if settings.json:
        print_json({**run.to_json(), "test_openings": openings})
        return
    typer.echo(run.methods.rstrip())
    typer.echo("")
    typer.echo(run.to_line())
    typer.echo(f"The test part of this split was opened {openings} time(s) in this workspace.")
    typer.echo(f"Folder: {run.folder}")
    if run.row.mistake is None:
        typer.echo(f"Next:  tumorlens predict {run.name} SCAN.png")


@app.command("remove")
def remove(
    context: typer.Context,
    name: _RUN,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Remove a run, its bundle included; cached features and the ledger stay."""
    from tumorlens.workflows.runs import find_run, remove_run

    settings = settings_from(context, workspace=workspace, quiet=quiet)
    run = find_run(settings.workspace, name)
    if not yes:
        typer.confirm(f"Remove the run {name} and its bundle?", abort=True)
    remove_run(settings.workspace, run.name)
    typer.echo(f"Removed {name}.")
