"""Exports a bundle to another program's format, after comparing both on held-out scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorlens.bundles import read_card, verify_files
from tumorlens.bundles.exporting.facts import export_facts
from tumorlens.bundles.exporting.formats import ExportFormat, ExportSource, find_format
from tumorlens.bundles.exporting.writing import write_export
from tumorlens.errors import InputError, TumorlensError
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.evaluation_model import EvaluatedModel, find_model
from tumorlens.workflows.export_scans import parity_scans
from tumorlens.workspace import Workspace

__all__ = ["ExportResult", "export_model"]


@dataclass(frozen=True)
class ExportResult:
    """An export that was written.

    Attributes:
        path: The file to load.
        files: All files, :attr:`path` first, the parity report last.
        parity: The report: on which scans, what differed, what may differ.
        not_in_graph: What is to be done around it, a sentence each.
        marks: What must be said with its answers.
        use: The limits of use, in words.
    """

    path: Path
    files: tuple[Path, ...]
    parity: Mapping[str, Any]
    not_in_graph: tuple[str, ...]
    marks: tuple[str, ...]
    use: str

    def to_json(self) -> dict[str, Any]:
        """The document of ``export --json``."""
        return {
            "path": str(self.path),
            "files": [str(file) for file in self.files],
            "parity": dict(self.parity),
            "not_in_graph": list(self.not_in_graph),
            "marks": list(self.marks),
            "use": self.use,
        }

    def to_lines(self) -> list[str]:
        """For a person."""
        report = self.parity
        differs = report["differences"]["probability"]
        return [
            f"Export:  {self.path}",
            f"Parity:  probabilities differ by {differs['largest']:.1e} at most ({report['bounds']['probability']:g} "
            f"allowed) from the bundle's, on {report['n_scans']} scans in {report['ran_in']}: {self.files[-1]}",
            f"         {report['scans']['source']}",
            *self.not_in_graph,
            *self.marks,
            self.use,
        ]


def export_model(
    model: str,
    *,
    format_name: str,
    out: Path | None = None,
    scans: str | None = None,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ExportResult:
    """Export a bundle.

    Args:
        model: Bundle folder, run folder or name of a run.
        format_name: ``onnx``, ``openvino``, ``keras`` or ``tflite``.
        out: The file, or a folder to put it in; by default the model's name in this folder.
        scans: What to compare on: name of a data set, or files; by default the run's calibration and validation part,
            else synthetic scans.
        workspace: Where runs and data sets lie.
        threads: CPU threads; all by default.
        progress: Told of each step.

    Raises:
        NotFoundError: There is no such model or data set.
        InputError: There is no such format, it cannot hold the model, or the scans do not fit.
        MissingExtraError: What writes the format is not installed.
        IntegrityError: The bundle is damaged.
        TumorlensError: The export differs from the bundle; nothing was written.
        StorageError: The file cannot be written.
    """
    target = find_format(format_name)
    target.require()
    found = find_model(model, workspace=workspace)
    verify_files(found.bundle, found.card)
    path = _target_path(out, found, target)
    if path.parent.resolve() == found.bundle.resolve():
        raise InputError(f"{path} lies inside the bundle, which is to stay as it is: give another --out.")
    chosen = parity_scans(found, scans, workspace=workspace, progress=progress)
    source = ExportSource(found.bundle, found.card, _members(found, workspace), threads)
    written = write_export(source, target, path, scans=chosen.scans, scans_from=chosen.facts, progress=progress)
    facts = export_facts(found.card)
    return ExportResult(
        path=written.path,
        files=written.files,
        parity=written.parity,
        not_in_graph=(*facts["not_in_graph"], *target.notes(found.card)),
        marks=found.card.marks,
        use=found.card.use,
    )


def _target_path(out: Path | None, found: EvaluatedModel, target: ExportFormat) -> Path:
    name = f"{found.card.name}{target.suffix}"
    if out is None:
        return Path(name)
    return out / name if out.is_dir() else out


def _members(found: EvaluatedModel, workspace: Workspace) -> tuple[Path | None, ...]:
    """An ensemble's members' bundles, where the very ones are in the workspace."""
    return tuple(_member(str(each["model"]), str(each["digest"]), workspace) for each in found.card.members)


def _member(model: str, digest: str, workspace: Workspace) -> Path | None:
    folder = workspace.runs / model.partition("@")[0] / "bundle"
    try:
        card = read_card(folder)
        verify_files(folder, card)
    except TumorlensError:
        return None
    return folder if card.digest == digest else None
