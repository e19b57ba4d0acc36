"""Many DICOM files become series in spatial order, from their headers alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans.dicom.file_slices import FileSlices, LeftOut, read_slices
from tumorlens.scans.dicom.magic import is_dicom
from tumorlens.scans.dicom.opening import open_dicom
from tumorlens.scans.dicom.slices import DicomSeries, DicomSlice, order_slices
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits

__all__ = ["DicomIndex", "UnreadableFile", "index_dicom"]


@dataclass(frozen=True)
class UnreadableFile:
    """A DICOM file that cannot be read.

    Attributes:
        path: The file.
        reason: One sentence.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class DicomIndex:
    """What a set of files holds.

    Attributes:
        series: In the order of their first files; their slices in spatial order.
        left_out: Files that give no slices: localizers, objects without pictures, copies.
        unreadable: Files that are DICOM but cannot be read.
        other_files: Number of files that are not DICOM.
        shared_uids: Files that bear the SOPInstanceUID of an earlier one but hold other pixels; they are kept.
    """

    series: tuple[DicomSeries, ...]
    left_out: tuple[FileSlices, ...]
    unreadable: tuple[UnreadableFile, ...]
    other_files: int
    shared_uids: int

    def count(self, reason: LeftOut) -> int:
        """Number of files left out for a reason."""
        return sum(file.left_out == reason for file in self.left_out)


def index_dicom(
    files: Sequence[Path],
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    progress: Progress = SILENT,
    compartment: Callable[[Path], str] = lambda path: "",
) -> DicomIndex:
    """Read the headers of ``files`` and sort their slices into series.

    Slices belong together when patient, series, size and orientation agree. A file with the SOPInstanceUID and the
    pixels of an earlier one of the same compartment is a copy and left out. pydicom warns of odd headers; callers that
    do not want to see that enter :func:`tumorlens.scans.quiet_decoding` once, around everything.

    Args:
        files: Any files; those that are not DICOM are counted.
        limits: Largest file, picture, number of frames.
        progress: Told about each file.
        compartment: Names the part of the data a file belongs to, such as its label's folder: copies across parts stay,
            so that what contradicts itself is seen.
    """
    found: list[FileSlices] = []
    unreadable: list[UnreadableFile] = []
    others = 0
    with progress.task("Reading DICOM headers", total=len(files)) as task:
        for path in files:
            task.advance()
            if not is_dicom(path):
                others += 1
                continue
            try:
                found.append(read_slices(path, limits=limits))
            except InputError as error:
                unreadable.append(UnreadableFile(path, str(error)))
    kept, copies, shared = _without_copies([file for file in found if file.slices], compartment, limits=limits)
    left_out = [file for file in found if file.left_out]
    return DicomIndex(_series(kept), (*left_out, *copies), tuple(unreadable), others, shared)


def _without_copies(
    files: list[FileSlices], compartment: Callable[[Path], str], *, limits: ReadLimits
) -> tuple[list[FileSlices], list[FileSlices], int]:
    """Return the files to keep, the copies, and how many kept ones share a UID but not the pixels."""
    seen: dict[tuple[str, str], list[Path]] = defaultdict(list)
    digests: dict[Path, str] = {}
    kept: list[FileSlices] = []
    copies: list[FileSlices] = []
    shared = 0
    for file in files:
        earlier = seen[file.instance_uid, compartment(file.path)] if file.instance_uid else []
        if earlier:
            for path in (*earlier, file.path):
                digests[path] = digests.get(path) or _pixel_bytes_digest(path, limits=limits)
            if any(digests[path] == digests[file.path] for path in earlier):
                copies.append(FileSlices(file.path, file.patient_id, file.series_uid, file.instance_uid, (), "copy"))
                continue
            shared += 1
        earlier.append(file.path)
        kept.append(file)
    return kept, copies, shared


def _pixel_bytes_digest(path: Path, *, limits: ReadLimits) -> str:
    file = open_dicom(path, limits=limits)
    with file.stream() as stream:
        stream.seek(file.pixels.offset if file.pixels else 0)
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _series(files: list[FileSlices]) -> tuple[DicomSeries, ...]:
    groups: dict[tuple[str, str, int, int, bool], list[list[DicomSlice]]] = defaultdict(list)
    for file in files:
        for item in file.slices:
            uid = item.series_uid or f"{item.study_uid}\n{item.path.parent}"
            _place(item, groups[item.patient_id, uid, item.rows, item.columns, item.grey])
    ordered = [order_slices(parallel) for alike in groups.values() for parallel in alike]
    return tuple(DicomSeries(slices) for slices in ordered)


def _place(item: DicomSlice, parallels: list[list[DicomSlice]]) -> None:
    """Put a slice with those that are parallel to it."""
    for slices in parallels:
        first = slices[0].orientation
        alike = first is item.orientation is None or (first and item.orientation and first.resembles(item.orientation))
        if alike:
            slices.append(item)
            return
    parallels.append([item])
