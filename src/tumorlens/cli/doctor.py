"""``tumorlens doctor``: whether this machine has what is needed."""

from __future__ import annotations

import typer

from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    WeightsDirOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["doctor"]


def doctor(
    context: typer.Context,
    weights_dir: WeightsDirOption = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Check versions, processor, memory, disk, workspace, the extra train and which weights are at hand."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.doctor import examine

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    findings = examine(settings.workspace, weights_dir)
    if settings.json:
        print_json([finding.to_json() for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'miss'}  {finding.subject}: {finding.text}")
    if not all(finding.ok or not finding.needed for finding in findings):
        raise typer.Exit(code=2)
