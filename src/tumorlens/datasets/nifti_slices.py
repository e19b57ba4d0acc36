"""Which slices of one volume become scans, with which label; and their pixels, two volumes in memory at most."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from tumorlens.datasets.nifti_volumes import VolumeFile
from tumorlens.errors import InputError
from tumorlens.scans import Reading, Scan
from tumorlens.scans.nifti import LesionMask, VolumeCut, head_share, read_mask, read_volume

__all__ = ["Examined", "SharedVolume", "examine"]


@dataclass(frozen=True)
class Examined:
    """What one volume holds.

    Attributes:
        file: The volume.
        kept: Indices of the slices that become scans.
        names: Their names (``"z=43"``).
        labels: Their labels.
        slices: All slices.
        dark: Slices left out for little brain.
        between: Slices left out because they show tumour, but too little.
        low: Value that becomes 0.
        high: Value that becomes 255.
        volumes: Volumes in the file.
        oriented: Whether the file says how it lies.
        error: Why it cannot be read; nothing else is known then.
    """

    file: VolumeFile
    kept: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    slices: int = 0
    dark: int = 0
    between: int = 0
    low: float = 0.0
    high: float = 1.0
    volumes: int = 1
    oriented: bool = True
    error: str | None = None


def examine(file: VolumeFile, *, reading: Reading, min_lesion_mm2: float, minimum_area: float) -> Examined:
    """Read a volume and its mask, and decide about each slice.

    A slice is ``tumor`` from ``min_lesion_mm2`` of tumour on, ``no_tumor`` only without any; between the two it is
    left out, because too little of a lesion shows to call it either.

    Args:
        file: The volume; its label, where it has one, goes before the mask.
        reading: Intensity rule and plane.
        min_lesion_mm2: Tumour area, mm².
        minimum_area: Share of a slice that must be head.

    Returns:
        The decisions, or the sentence that says why the volume cannot be read.
    """
    try:
        cut = VolumeCut.of(read_volume(file.path), reading)
        mask = None if file.mask is None else read_mask(file.mask, cut.volume, labels=file.mask_labels)
        return _decide(file, cut, mask, min_lesion_mm2=min_lesion_mm2, minimum_area=minimum_area)
    except InputError as error:
        return Examined(file, error=str(error))


def _decide(
    file: VolumeFile, cut: VolumeCut, mask: LesionMask | None, *, min_lesion_mm2: float, minimum_area: float
) -> Examined:
    kept: dict[int, str] = {}
    dark = between = 0
    count = cut.volume.slice_count(cut.plane)
    for index in range(count):
        if head_share(cut.grey(index)) < minimum_area:
            dark += 1
            continue
        label = file.label or _mask_label(mask, cut, index, min_lesion_mm2=min_lesion_mm2)
        if label is None:
            between += 1
        else:
            kept[index] = label
    return Examined(
        file=file,
        kept=tuple(kept),
        names=tuple(cut.name(index) for index in kept),
        labels=tuple(kept.values()),
        slices=count,
        dark=dark,
        between=between,
        low=cut.low,
        high=cut.high,
        volumes=cut.volume.volumes,
        oriented=cut.volume.oriented,
    )


def _mask_label(mask: LesionMask | None, cut: VolumeCut, index: int, *, min_lesion_mm2: float) -> str | None:
    assert mask is not None, "a volume without label has a mask"
    area = mask.area_mm2(cut.plane, index)
    if area == 0:
        return "no_tumor"
    return "tumor" if area >= min_lesion_mm2 else None


class SharedVolume:
    """A volume whose slices several threads ask for: read at the first, let go after the last.

    Asked for in order by two threads, at most two volumes are in memory: a thread is done with all slices of a volume
    but its own before it meets the next but one.
    """

    def __init__(self, examined: Examined, reading: Reading) -> None:
        self._examined = examined
        self._reading = reading
        self._lock = Lock()
        self._remaining = len(examined.kept)
        self._read: tuple[VolumeCut, LesionMask | None] | None = None

    def scan(self, index: int) -> Scan:
        """Return one slice.

        Raises:
            InputError: The file or its mask has changed since it was examined and cannot be read any more.
        """
        cut, mask = self._volume()
        try:
            marked = None if mask is None else mask.marked(cut.plane, index)
            return cut.scan(index, mask=marked)
        finally:
            with self._lock:
                self._remaining -= 1
                if self._remaining <= 0:
                    self._read = None

    def _volume(self) -> tuple[VolumeCut, LesionMask | None]:
        with self._lock:
            if self._read is None:
                file, known = self._examined.file, self._examined
                volume = read_volume(file.path)
                cut = VolumeCut(volume, self._reading.plane, known.low, known.high, self._reading.window.kind)
                mask = None if file.mask is None else read_mask(file.mask, volume, labels=file.mask_labels)
                self._read = cut, mask
            return self._read
