"""``tumorlens backbones``: the networks that can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    WeightsDirOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show and fetch pretrained networks.")

_BACKBONE = Annotated[str, typer.Argument(metavar="BACKBONE", help="Name of a network.")]


@app.command("list")
def list_(
    context: typer.Context,
    weights_dir: WeightsDirOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """List every network, with size, width, licence and whether its weights are at hand."""
    from tumorlens.cli.output import print_json, print_table
    from tumorlens.workflows.backbone_facts import backbone_table, list_backbones

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    rows = list_backbones(weights_dir)
    if settings.json:
        print_json(rows)
        return
    print_table(backbone_table(rows))


@app.command("show")
def show(
    context: typer.Context,
    name: _BACKBONE,
    weights_dir: WeightsDirOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Show one network's facts: preprocessing, stages, weights file, licence, paper."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.backbone_facts import describe_backbone

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    facts = describe_backbone(name, weights_dir)
    if settings.json:
        print_json(facts)
        return
    for key, value in facts.items():
        typer.echo(f"{key.replace('_', ' ')}: {value}")


@app.command("fetch")
def fetch(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="BACKBONE...", help="Networks to fetch.")],
    weights_dir: Annotated[
        Path | None,
        typer.Option("--weights-dir", help="Where to put the files [default: Keras' cache]."),
    ] = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Download pretrained weights from where Keras publishes them, and check them."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.backbone_facts import fetch_backbones

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    fetched = fetch_backbones(names, weights_dir, progress=settings.progress)
    if settings.json:
        print_json(fetched)
        return
    for row in fetched:
        typer.echo(f"{row['backbone']}: {row['path']} ({row['note']})")
