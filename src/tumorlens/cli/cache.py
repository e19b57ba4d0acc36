"""``tumorlens cache``: what is kept so that nothing is computed twice."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import JsonOption, QuietOption, WorkspaceOption, settings_from

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show and clean cached features, graphs and stopped trainings."
)


@app.command("show")
def show(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Show what the caches hold."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.cache import cache_facts

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    facts = cache_facts(settings.workspace)
    if settings.json:
        print_json(facts)
        return
    for kind in facts["features"]:
        typer.echo(
            f"{kind['backbone']} {kind['view']} at {kind['size']} px: {kind['vectors']} vectors, {kind['mb']:.1f} MB"
        )
    for training in facts["trainings"]:
        state = "running" if training["running"] else "stopped; the command that began it goes on from here"
        typer.echo(f"Training of {training['run']}: {training['mb']:.1f} MB, {state}")
    typer.echo(f"Features on disk: {facts['features_mb']:.1f} MB; graphs: {facts['graphs_mb']:.1f} MB")


@app.command("clean")
def clean(
    context: typer.Context,
    features: Annotated[bool, typer.Option("--features", help="Only cached features.")] = False,
    graphs: Annotated[bool, typer.Option("--graphs", help="Only converted networks.")] = False,
    trainings: Annotated[
        bool, typer.Option("--trainings", help="Only states of stopped trainings, which then begin anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Delete cached features and graphs, states of stopped trainings (never of running ones), and what killed
    processes left; all is computed again when needed.
    """
    from tumorlens.workflows.cache import clean_cache
    from tumorlens.workflows.resumable import list_resumable

    settings = settings_from(context, workspace=workspace, quiet=quiet)
    chosen = {"features": features, "graphs": graphs, "trainings": trainings}
    if not any(chosen.values()):
        chosen = dict.fromkeys(chosen, True)
    if not yes:
        stopped = [training for training in list_resumable(settings.workspace) if not training.running]
        lost = " Stopped trainings would begin anew." if chosen["trainings"] and stopped else ""
        wanted = ", ".join(name for name in chosen if chosen[name])
        typer.confirm(f"Delete {wanted}? They are computed again when needed.{lost}", abort=True)
    freed_mb = clean_cache(settings.workspace, **chosen)
    typer.echo(f"Freed {freed_mb:.1f} MB.")
