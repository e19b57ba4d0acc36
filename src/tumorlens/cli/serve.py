"""``tumorlens serve``: a bundle over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.options import DatabaseOption, QuietOption, ThreadsOption, WorkspaceOption, settings_from

__all__ = ["serve"]


def serve(
    context: typer.Context,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Bundle folder, run folder or run name.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's own need --auth.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free one.")] = 8000,
    auth: Annotated[bool, typer.Option("--auth", help="Ask every client for a key (tumorlens keys add).")] = False,
    database_url: DatabaseOption = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anyone who reaches --host ask, without a login.")
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which clients call the server; may be repeated."),
    ] = None,
    keep_uploads: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep uploaded files in DIR [default: in memory alone, while they are answered]."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Answer over HTTP: files in, class and probability out. Research output, not for patient care."""
    from tumorlens.bundles import find_bundle
    from tumorlens.extras import require_extra
    from tumorlens.serving import ServeSettings

    require_extra("serve", purpose="Serving")
    from tumorlens.serving.server import run_server

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet)
    wanted = ServeSettings(
        bundle=find_bundle(bundle, runs=settings.workspace.runs),
        workspace=settings.workspace,
        host=host,
        port=port,
        auth=auth,
        insecure=insecure,
        database_url=database_url,
        host_names=tuple(host_name or ()),
        threads=settings.threads,
        keep_uploads=keep_uploads,
    )

    def say(address: str) -> None:
        typer.echo(f"Serving {wanted.bundle} at {address}. Research output, not for patient care.")
        typer.echo(f"Next:  curl -F files=@scan.png {address}/v1/predict", err=False)

    run_server(wanted, on_start=say)
