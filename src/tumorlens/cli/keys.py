"""``tumorlens keys``: who may ask a server that asks for keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tumorlens.cli.options import DatabaseOption, JsonOption, QuietOption, WorkspaceOption, settings_from

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tumorlens.workspace import Workspace

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make, list and remove API keys of the server.")

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]


@app.command("add")
def add(
    context: typer.Context,
    name: _NAME,
    role: Annotated[
        str, typer.Option(help="predict: ask the model; train: also decide which one is served.")
    ] = "predict",
    database_url: DatabaseOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Make a key and show it, once."""
    from tumorlens.cli.output import print_json

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    database = _database(settings.workspace, database_url)
    from tumorlens.serving.keys import add_key

    key, secret = add_key(database, name=name, role=role)
    if settings.json:
        print_json({**key.to_json(), "key": secret})
        return
    typer.echo(secret)
    typer.echo(
        f"The key {key.name} ({key.role}) is shown this once: keep it. It goes into 'Authorization: Bearer KEY'."
    )
    typer.echo("Next:  tumorlens serve RUN --host ADDRESS --auth")


@app.command("list")
def list_(
    context: typer.Context,
    database_url: DatabaseOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """List the keys, without their secrets."""
    from tumorlens.cli.output import print_json

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    database = _database(settings.workspace, database_url)
    from tumorlens.serving.keys import list_keys

    keys = list_keys(database)
    if settings.json:
        print_json([key.to_json() for key in keys])
        return
    for key in keys:
        typer.echo(f"{key.name}  {key.role}  {key.id}  made {key.created:%Y-%m-%d}")
    if not keys:
        typer.echo("No keys yet.")
        typer.echo("Next:  tumorlens keys add NAME")


@app.command("remove")
def remove(
    context: typer.Context,
    name: _NAME,
    database_url: DatabaseOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Take a key away: a running server refuses it from then on."""
    settings = settings_from(context, workspace=workspace, quiet=quiet)
    database = _database(settings.workspace, database_url)
    from tumorlens.serving.keys import remove_key

    remove_key(database, name)
    typer.echo(f"Removed the key {name}.")


def _database(workspace: Workspace, url: str | None) -> Engine:
    from tumorlens.extras import require_extra

    require_extra("serve", purpose="The server's database")
    from tumorlens.serving.database import open_database

    return open_database(workspace, url)
