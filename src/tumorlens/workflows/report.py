"""The report of a stored run or comparison, made again from what is kept: nothing is trained or predicted anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.report_files import REPORT_FILE, next_commands, write_report
from tumorlens.workflows.stored_results import StoredResult, find_result
from tumorlens.workspace import Workspace

__all__ = ["ReportResult", "report_result"]

_RUN_FOLDER = "report"


@dataclass(frozen=True)
class ReportResult:
    """A report and where it lies.

    Attributes:
        name: The run or comparison.
        kind: "run" or "comparison".
        folder: Page, plots, model card, data sheet, checklists and references.
        files: All files written, the page first.
        notes: What was left out, and why.
        next_commands: What to type next.
    """

    name: str
    kind: str
    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    next_commands: tuple[str, ...]

    @property
    def page(self) -> Path:
        """The HTML page."""
        return self.folder / REPORT_FILE

    def to_json(self) -> dict[str, Any]:
        """The document of ``report --json``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "report": str(self.page),
            "files": [str(file) for file in self.files],
            "notes": list(self.notes),
            "next": list(self.next_commands),
        }


def report_result(
    words: str,
    *,
    workspace: Workspace,
    out: Path | None = None,
    pictures: bool = True,
    data_licence: str = "",
    threads: int | None = None,
    progress: Progress = SILENT,
) -> ReportResult:
    """Make the report of a run or a comparison.

    Args:
        words: Name of a run or comparison, or its folder.
        workspace: Where it lies.
        out: Where to; by default the folder ``report`` of the run, or the comparison's own folder.
        pictures: Whether scans are shown. Outside the workspace they never are.
        data_licence: Licence of the data, for the data sheet.
        threads: CPU threads; all by default.
        progress: Told what is left out.

    Raises:
        NotFoundError: There is no such run or comparison.
        InputError: ``out`` is a file.
        IntegrityError: Something stored is damaged.
    """
    stored = find_result(words, workspace=workspace)
    folder = out or _own_folder(stored)
    if folder.is_file():
        raise InputError(f"Expected a folder to write the report into, but {folder} is a file: give another --out.")
    inside = folder.resolve().is_relative_to(workspace.root.resolve())
    notes = () if inside or not pictures else ("Scans are not shown, because this page lies outside the workspace.",)
    files = write_report(
        stored,
        folder,
        workspace=workspace,
        pictures=pictures and inside,
        data_licence=data_licence,
        notes=notes,
        threads=threads,
    )
    all_notes = (*stored.notes, *notes)
    for note in all_notes:
        progress.say(note)
    kind = "run" if stored.single else "comparison"
    return ReportResult(stored.name, kind, folder, files, all_notes, next_commands(stored))


def _own_folder(stored: StoredResult) -> Path:
    return stored.folder / _RUN_FOLDER if stored.single else stored.folder
