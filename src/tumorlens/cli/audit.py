"""``tumorlens data audit`` and ``data relabel``: what is wrong with a data set, and labels corrected by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    ThreadsOption,
    WeightsDirOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["audit", "relabel"]


def audit(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set to look at.")],
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="Another data set: which scans do both hold? May be repeated."),
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="Network that prices leakage and contradicts labels (tumorlens backbones list).")
    ] = "efficientnet-lite0",
    weights: Annotated[str, typer.Option("--weights", help="imagenet, random or FILE.")] = "imagenet",
    weights_dir: WeightsDirOption = None,
    no_price: Annotated[
        bool,
        typer.Option("--no-price", help="Run no network: no price of leakage and no contradicted labels."),
    ] = False,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of the network's square input, pixels.")] = 240,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split, folds and draws.")] = 0,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Find what is wrong with a data set: copies, leaks and their price, shortcuts, doubtful labels, odd scans."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.workflows.audit import AuditSettings, audit_dataset

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = audit_dataset(
        name,
        AuditSettings(
            against=tuple(dict.fromkeys(against or ())),
            backbone=backbone,
            weights=weights,
            weights_dir=weights_dir,
            price=not no_price,
            seed=seed,
            size=size,
        ),
        workspace=settings.workspace.create(),
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.to_json())
        return
    for line in result.lines():
        typer.echo(line)
    print_next(*result.next_commands)


def relabel(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set whose labels are corrected.")],
    corrections: Annotated[
        Path,
        typer.Option(
            "--corrections", help="The audit's queue.csv with the right classes in its column corrected_label."
        ),
    ],
    new_name: Annotated[
        str | None,
        typer.Option("--name", help="What to call the corrected data set [default: it replaces NAME]."),
    ] = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Read corrected labels back; the old ones are kept beside them, and pixels and splits stay."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.workflows.audit_relabel import relabel_from_queue
    from tumorlens.workflows.dataset_facts import describe_dataset

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    result = relabel_from_queue(name, corrections, workspace=settings.workspace, new_name=new_name)
    if settings.json:
        print_json({**describe_dataset(result.dataset), "relabelled": result.relabelled})
        return
    for line in result.lines():
        typer.echo(line)
    print_next(f"tumorlens compare {result.dataset.name} --backbones efficientnet-lite0")
