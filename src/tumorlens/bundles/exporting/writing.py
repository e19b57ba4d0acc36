"""Writes an export only after it has answered as its bundle does: under a temporary name, then renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tumorlens.bundles.exporting.formats import ExportFormat, ExportSource
from tumorlens.bundles.exporting.parity import FEWEST_SCANS, batches_of, check, compare_answers
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime import compile_graph
from tumorlens.types import Pixels
from tumorlens.workspace import remove_leftovers, storage_errors, temporary_name

__all__ = ["PARITY_SUFFIX", "WrittenExport", "write_export"]

PARITY_SUFFIX = ".parity.json"
_OUTPUTS = ["probabilities", "map", "features"]


@dataclass(frozen=True)
class WrittenExport:
    """An export that was written.

    Attributes:
        path: The file to load.
        files: All files, :attr:`path` first, the parity report last.
        parity: The report.
    """

    path: Path
    files: tuple[Path, ...]
    parity: Mapping[str, Any]


def write_export(
    source: ExportSource,
    target: ExportFormat,
    out: Path,
    *,
    scans: Sequence[Pixels],
    scans_from: Mapping[str, Any],
    progress: Progress = SILENT,
) -> WrittenExport:
    """Write the file, compare its answers with the bundle's, and only then give it its name.

    Args:
        source: The bundle.
        target: The format.
        out: Where the file goes; what is there is replaced.
        scans: ``(h, w, 3)`` uint8 each, at least 32, held out of training.
        scans_from: Where they are from, for the report.
        progress: Told of each step.

    Raises:
        InputError: ``out`` has another ending than the format's, there are too few scans, or the format cannot hold
            the bundle.
        TumorlensError: The answers differ by more than the format's bounds.
        StorageError: ``out`` cannot be written.
    """
    if out.suffix != target.suffix:
        raise InputError(f"A file of the format {target.name} must end in {target.suffix}, got {out.name}.")
    if len(scans) < FEWEST_SCANS:
        raise InputError(f"The comparison with the bundle needs at least {FEWEST_SCANS} scans, got {len(scans)}.")
    started = time.monotonic()
    with storage_errors(out):
        if out.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder has the name", str(out))
        out.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(out.parent, depth=1)  # of exports that were killed
        folder = temporary_name(out)
        folder.mkdir()
        try:
            draft = folder / out.name
            with progress.task(f"Exporting to {target.name}", total=3) as task:
                target.write(source, draft)
                task.advance(note="comparing with the bundle")
                report = _compared(source, target, draft, scans)
                task.advance(2)
            report |= {"scans": dict(scans_from), "seconds": round(time.monotonic() - started, 3)}
            parity = folder / f"{out.name}{PARITY_SUFFIX}"
            parity.write_text(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
            files = _give_names(draft, parity, out, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return WrittenExport(out, files, report)


def _compared(source: ExportSource, target: ExportFormat, draft: Path, scans: Sequence[Pixels]) -> dict[str, Any]:
    """The report on a file that passed.

    Raises:
        TumorlensError: It did not.
    """
    batches = batches_of(scans)
    graph = compile_graph(source.graph, goal="latency", outputs=_OUTPUTS, threads=source.threads)
    ours = [graph.run(batch) for batch in batches]
    theirs = target.answers(draft, batches, threads=source.threads)
    found, bounds = compare_answers(ours, theirs), target.bounds(source.card)
    check(found, bounds, title=target.title)
    card = source.card
    return {
        "format": target.name,
        "model": card.model,
        "digest": card.digest,
        "precision": card.precision,
        "marks": list(card.marks),
        "ran_in": target.runs_in(),
        "n_scans": len(scans),
        "sizes": {f"{batch.shape[1]}x{batch.shape[2]}": len(batch) for batch in batches},
        "differences": found.to_json(),
        "bounds": asdict(bounds),
        "files": {file.name: _sha256(file) for file in (draft, *(draft.with_suffix(end) for end in target.beside))},
        "versions": {"tumorlens": version("tumorlens"), **target.versions()},
        "use": card.use,
    }


def _give_names(draft: Path, parity: Path, out: Path, target: ExportFormat) -> tuple[Path, ...]:
    """Rename all files, the one that is loaded last, so that whoever meets it meets the others.

    What was there under its name goes first: no kill leaves it beside another export's files.
    """
    out.unlink(missing_ok=True)
    beside = [draft.with_suffix(end).replace(out.with_suffix(end)) for end in target.beside]
    report = parity.replace(out.with_name(parity.name))
    draft.replace(out)
    return (out, *beside, report)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
