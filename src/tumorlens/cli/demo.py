"""``tumorlens demo``: the whole way on synthetic scans, offline."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    ThreadsOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["demo"]


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the virtual patients.")] = 0,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Make synthetic scans, compare networks on them, write the report and predict one held-out scan."""
    from tumorlens.cli.output import print_comparison, print_json
    from tumorlens.workflows.demo import run_demo

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = run_demo(settings.workspace.create(), seed=seed, threads=settings.threads, progress=settings.progress)
    if settings.json:
        print_json({**result.comparison.to_json(), "prediction": result.prediction.to_json()})
        return
    for line in result.opening_lines:
        typer.echo(line)
    print_comparison(result.comparison)
    typer.echo(f"One held-out scan, reference label {result.reference_label}:")
    typer.echo(result.prediction.to_line())
    typer.echo("Synthetic scans. Research output, not for patient care.")
    typer.echo("Next:  tumorlens data import FOLDER --name NAME     (your own scans)")
