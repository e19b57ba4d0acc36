"""Options that several commands share, and the settings that follow from them.

``--workspace``, ``--threads``, ``--quiet`` and ``--json`` may stand before or after the command's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tumorlens.progress import Progress
    from tumorlens.workspace import Workspace

__all__ = [
    "CarryNeighboursOption",
    "CostOption",
    "CropOption",
    "DatabaseOption",
    "HarmoniseOption",
    "JsonOption",
    "MlflowOption",
    "PrecisionOption",
    "QuietOption",
    "SensitivityOption",
    "Settings",
    "SpecificityOption",
    "TestViewsOption",
    "ThreadsOption",
    "WeightsDirOption",
    "WorkspaceOption",
    "settings_from",
]

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        help="Folder for data sets, features and runs [default: $TUMORLENS_HOME or ./tumorlens-workspace].",
    ),
]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads [default: all].")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document (docs/json.md).")]
WeightsDirOption = Annotated[
    Path | None,
    typer.Option("--weights-dir", help="Folder with Keras' weight files [default: $TUMORLENS_WEIGHTS]."),
]
SensitivityOption = Annotated[
    float | None,
    typer.Option(metavar="S", help="Choose the threshold for this sensitivity, such as 0.95 (two classes)."),
]
SpecificityOption = Annotated[
    float | None, typer.Option(metavar="S", help="Choose the threshold for this specificity (two classes).")
]
CostOption = Annotated[
    float | None,
    typer.Option(
        metavar="C", help="Choose the threshold by cost: a missed positive costs C false alarms (two classes)."
    ),
]
CropOption = Annotated[
    str,
    typer.Option(
        metavar="CROP",
        help="Cut scans to the square around the head: brain or none; auto: brain with --fine-tune, else none.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="The server's database, as SQLAlchemy writes it [default: server.db in the workspace]."
    ),
]
HarmoniseOption = Annotated[
    bool,
    typer.Option(
        "--harmonise",
        help="Strip the skull, cut around the head and standardise grey levels: for use on scans of other sources.",
    ),
]
CarryNeighboursOption = Annotated[
    bool,
    typer.Option(
        "--carry-neighbours",
        help="Let the bundle carry features and labels of its training scans, so that it names like ones anywhere.",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        help="fp32; int8 where the validation loss allows it (needs the extra int8); auto: where faster here too."
    ),
]
MlflowOption = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="Also log finished runs in MLflow there, such as http://localhost:5000 (needs the extra mlflow).",
    ),
]

TestViewsOption = Annotated[
    int,
    typer.Option(
        "--views",
        metavar="N",
        help="Average probabilities over N fixed views (mirror image, small turns and scales), at N times the cost.",
    ),
]


@dataclass(frozen=True)
class Settings:
    """What the shared options came to.

    Attributes:
        workspace_path: As given; ``None`` for the default.
        threads: CPU threads; ``None`` for all.
        quiet: Whether progress is hidden.
        json: Whether results are printed as JSON.
    """

    workspace_path: Path | None
    threads: int | None
    quiet: bool
    json: bool

    @property
    def workspace(self) -> Workspace:
        """The workspace, located but not made."""
        from tumorlens.workspace import Workspace

        return Workspace.locate(self.workspace_path)

    @property
    def progress(self) -> Progress:
        """Progress bars on standard error, or nothing under ``--quiet``."""
        from tumorlens.cli.progress import RichProgress
        from tumorlens.progress import SILENT

        return SILENT if self.quiet else RichProgress()


def settings_from(
    context: typer.Context,
    *,
    workspace: Path | None = None,
    threads: int | None = None,
    quiet: bool = False,
    json: bool = False,
) -> Settings:
    """Join a command's own options with those that stood before its name."""
    before: dict[str, Any] = context.find_root().params
    return Settings(
        workspace_path=workspace or before.get("workspace"),
        threads=threads or before.get("threads"),
        quiet=quiet or bool(before.get("quiet")),
        json=json or bool(before.get("json")),
    )
