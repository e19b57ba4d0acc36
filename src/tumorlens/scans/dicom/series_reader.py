"""Slices become scans: stored values, modality step, window, MONOCHROME1 turned over, ``uint8``.

Rows and columns stay as stored: axial slices are shown as radiologists look at them, from the feet, the patient's left
on the right-hand side of the picture. Nothing is turned or mirrored.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.dicom.colour import to_colour
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.frames import decode_frame
from tumorlens.scans.dicom.intensities import Intensities, to_intensities
from tumorlens.scans.dicom.opening import DicomFile, open_dicom
from tumorlens.scans.dicom.pixel_format import PixelFormat, pixel_format
from tumorlens.scans.dicom.slices import DicomSeries, DicomSlice
from tumorlens.scans.dicom.voi import apply_voi
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.raster import Scan
from tumorlens.scans.window import Window, intensity_range, to_grey

__all__ = ["OpenFiles", "SeriesReader"]

_KEPT_OPEN = 2
_STRIP_PIXELS = 4_000_000


class OpenFiles:
    """Keeps the parsed headers of the last files, so that the frames of a large file do not parse it again each.

    Args:
        limits: Largest file and picture.
    """

    def __init__(self, limits: ReadLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[DicomFile, PixelFormat]] = OrderedDict()

    def get(self, item: DicomSlice) -> tuple[DicomFile, PixelFormat]:
        """The file of a slice, opened and checked."""
        if item.frame is None:
            return self._open(item.path)
        with self._lock:
            if item.path not in self._kept:
                self._kept[item.path] = self._open(item.path)
                while len(self._kept) > _KEPT_OPEN:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(item.path)
            return self._kept[item.path]

    def _open(self, path: Path) -> tuple[DicomFile, PixelFormat]:
        file = open_dicom(path, limits=self._limits)
        return file, pixel_format(file, limits=self._limits)


class SeriesReader:
    """Reads the slices of one series by one intensity rule; may be called from several threads.

    Args:
        series: The series. Its range of intensities is found over all of it, when the first slice is asked for.
        window: The intensity rule.
        files: Shared by the readers of one source.
    """

    def __init__(self, series: DicomSeries, window: Window, *, files: OpenFiles) -> None:
        self._series = series
        self._window = window
        self._files = files
        self._lock = threading.Lock()
        self._range: tuple[float, float] | None = None

    def read(self, item: DicomSlice) -> Scan:
        """Read one slice.

        Raises:
            InputError: The file cannot be read, or has no such window under ``dicom``.
        """
        file, shape = self._files.get(item)
        header = FrameHeader(file.header, frame=item.frame, source=str(item.path))
        if not shape.grey:
            pixels = to_colour(decode_frame(file, shape, item.frame or 0), file, shape)
            steps: tuple[str, ...] = (f"colour={shape.photometric.replace(' ', '_')}",)
            return Scan(pixels, "DICOM", shape.mode, item.name, steps, dict(item.facts))
        found = self._intensities(file, shape, item, header)
        grey, window = self._grey(found, file, shape, header)
        steps = (*found.steps, f"window={window}")
        if shape.photometric == "MONOCHROME1":
            grey, steps = 255 - grey, (*steps, "inverted")
        if found.padding is not None:
            grey = np.where(found.padding, np.uint8(0), grey)
        pixels = np.repeat(grey[:, :, None], 3, axis=2)
        return Scan(pixels, "DICOM", shape.mode, item.name, steps, dict(item.facts))

    def _grey(
        self, found: Intensities, file: DicomFile, shape: PixelFormat, header: FrameHeader
    ) -> tuple[npt.NDArray[np.uint8], str]:
        grey = np.empty(found.values.shape, np.uint8)
        if self._window.kind == "dicom":
            number = self._window.index
            done = ""
            for rows in _strips(grey.shape):
                grey[rows], done = apply_voi(
                    found.values[rows], header, index=number, signed=shape.signed, little_endian=file.little_endian
                )
            return grey, f"dicom:{number}:{done}"
        low, high = (self._window.low, self._window.high) if self._window.kind == "fixed" else self._found_range()
        for rows in _strips(grey.shape):
            grey[rows] = to_grey(found.values[rows], low=low, high=high)
        return grey, f"{self._window.kind}:{low:g}..{high:g}"

    def _found_range(self) -> tuple[float, float]:
        with self._lock:
            if self._range is None:
                count = sum(item.rows * item.columns for item in self._series.slices)
                self._range = intensity_range(self._all_values(), count=count)
            return self._range

    def _all_values(self) -> Iterator[npt.NDArray[Any]]:
        for item in self._series.slices:
            try:
                file, shape = self._files.get(item)
                header = FrameHeader(file.header, frame=item.frame, source=str(item.path))
                yield self._intensities(file, shape, item, header).measured
            except InputError:  # said when that slice itself is read
                continue

    @staticmethod
    def _intensities(file: DicomFile, shape: PixelFormat, item: DicomSlice, header: FrameHeader) -> Intensities:
        if not shape.grey or (shape.rows, shape.columns) != (item.rows, item.columns):
            raise InputError(f"{item.path} has changed since it was listed: run the command again.")
        stored = decode_frame(file, shape, item.frame or 0)
        return to_intensities(stored, header, shape=shape, little_endian=file.little_endian)


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut a picture into strips of rows, so that what is made on the way needs little memory."""
    step = max(1, _STRIP_PIXELS // shape[1])
    for start in range(0, shape[0], step):
        yield slice(start, start + step)
