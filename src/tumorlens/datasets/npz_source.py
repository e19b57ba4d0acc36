"""Scans in ``.npz`` files with ``X`` and ``Y``; see :mod:`tumorlens.scans.arrays`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tumorlens.datasets.source import LabelOptions, ScanSource, SourceRow
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import ArrayScans, Scan, open_arrays, read_texts

__all__ = ["read_npz_source"]


def read_npz_source(paths: list[Path], options: LabelOptions, *, progress: Progress) -> ScanSource:
    """List the scans of one or more ``.npz`` files, file after file.

    Args:
        paths: The files.
        options: Only ``group_column`` applies: the name of an array of patient ids.
        progress: Told about passes over the arrays.

    Raises:
        InputError: A file is damaged or has no such arrays.
    """
    opened = [open_arrays(path, progress=progress) for path in paths]
    rows: list[SourceRow] = []
    for path, arrays in zip(paths, opened, strict=True):
        patients = _patients(path, options.group_column, count=len(arrays))
        for index, (label, patient) in enumerate(zip(arrays.labels, patients, strict=True)):
            rows.append(SourceRow(f"{path.name}#{index}", label, patient))
    notes = dict.fromkeys(a.rule.note for a in opened if a.rule.note is not None)
    return ScanSource(tuple(rows), lambda: _loaders(opened), tuple(notes))


def _patients(path: Path, name: str | None, *, count: int) -> tuple[str | None, ...]:
    if name is None:
        return (None,) * count
    patients = read_texts(path, name)
    if len(patients) != count:
        raise InputError(f"{name} in {path} has {len(patients)} values for {count} scans: give one a scan.")
    return patients


def _loaders(opened: list[ArrayScans]) -> Iterator[Callable[[], Scan]]:
    for arrays in opened:
        for scan in arrays:
            yield _ready(scan)


def _ready(scan: Scan) -> Callable[[], Scan]:
    return lambda: scan
