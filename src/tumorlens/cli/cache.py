"""``tumorlens cache``: what is kept so that nothing is computed twice."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import JsonOption, QuietOption, WorkspaceOption, settings_from

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show and clean cached features and graphs.")


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
    typer.echo(f"Features on disk: {facts['features_mb']:.1f} MB; graphs: {facts['graphs_mb']:.1f} MB")


@app.command("clean")
def clean(
    context: typer.Context,
    features: Annotated[bool, typer.Option("--features", help="Only cached features.")] = False,
    graphs: Annotated[bool, typer.Option("--graphs", help="Only converted networks.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Delete cached features and graphs, and what killed processes left; all is computed again when needed."""
    from tumorlens.workflows.cache import clean_cache

    settings = settings_from(context, workspace=workspace, quiet=quiet)
    both = features == graphs
    if not yes:
        typer.confirm("Delete the caches? They are computed again when needed.", abort=True)
    freed_mb = clean_cache(settings.workspace, features=features or both, graphs=graphs or both)
    typer.echo(f"Freed {freed_mb:.1f} MB.")
