"""``tumorlens ensemble``: finished runs become one model."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorlens.cli.options import (
    CarryNeighboursOption,
    CostOption,
    JsonOption,
    QuietOption,
    SensitivityOption,
    SpecificityOption,
    ThreadsOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["ensemble"]


def ensemble(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Names of two runs or more, of one split.")],
    take_all: Annotated[
        bool,
        typer.Option("--all", help="Average all runs alike, instead of choosing members and weights on validation."),
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="What to call the new run [default: follows from what it is made of].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    refit: Annotated[
        bool, typer.Option("--refit", help="Make it again even where the same ensemble is there.")
    ] = False,
    sensitivity: SensitivityOption = None,
    specificity: SpecificityOption = None,
    cost: CostOption = None,
    carry_neighbours: CarryNeighboursOption = False,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Average the calibrated probabilities of runs, members chosen on validation; one bundle with one graph."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.evaluation import parse_wish
    from tumorlens.workflows.ensemble import EnsembleSettings, make_ensemble

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = make_ensemble(
        EnsembleSettings(
            runs=tuple(runs),
            take_all=take_all,
            name=name,
            seed=seed,
            refit=refit,
            wish=parse_wish(sensitivity=sensitivity, specificity=specificity, cost=cost),
            carry_neighbours=carry_neighbours,
        ),
        workspace=settings.workspace.create(),
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.to_json())
        return
    for line in result.to_lines():
        typer.echo(line)
    print_next(f"tumorlens report {result.run.name}", f"tumorlens predict {result.run.name} SCAN.png")
