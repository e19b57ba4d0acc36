"""Decodes one frame of a DICOM file to its stored values. Knows nothing about windows or series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy.typing as npt

from tumorlens.errors import InputError, TumorlensError
from tumorlens.scans.dicom.codestream import CodestreamSize, codestream_size
from tumorlens.scans.dicom.decoding_child import DEEP_JPEG
from tumorlens.scans.dicom.fragments import find_frames, read_frame
from tumorlens.scans.dicom.isolation import decode_isolated
from tumorlens.scans.dicom.opening import DicomFile, PixelPlace
from tumorlens.scans.dicom.pixel_format import PixelFormat

__all__ = ["SYNTAXES", "decode_frame"]

_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"

SYNTAXES: dict[str, str] = {
    "1.2.840.10008.1.2": "",
    "1.2.840.10008.1.2.1": "",
    "1.2.840.10008.1.2.2": "",
    _JPEG_BASELINE: "pillow",
    _JPEG_EXTENDED: "pillow",
    "1.2.840.10008.1.2.4.57": "gdcm",
    "1.2.840.10008.1.2.4.70": "gdcm",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
    "1.2.840.10008.1.2.5": "pylibjpeg",
}
"""The decoder of pydicom that reads each transfer syntax (empty: no compression); deflated files count as inflated.

One decoder each, so that every machine gives the same pixels."""

_RLE = "1.2.840.10008.1.2.5"
_JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
_JPEG_END = b"\xff\xd9"
_TRUSTED = "pillow"  # the others crash or run for ever on some damaged files, and are kept in a process of their own
_RUST_PANICS = "pyo3_runtime"
_DEEP = 8


def decode_frame(file: DicomFile, shape: PixelFormat, frame: int) -> npt.NDArray[Any]:
    """Decode one frame.

    Args:
        file: The opened file.
        shape: Its checked pixel format.
        frame: Which frame, from 0.

    Returns:
        ``(rows, columns)`` stored values, or ``(rows, columns, 3)`` in RGB for colour; integers of the file's own bits
        and sign, unused high bits cleared.

    Raises:
        InputError: The pixels are missing, truncated or damaged, contradict the header, or are compressed by a method
            that is not read.
    """
    source = str(file.path)
    if file.pixels is None:
        raise InputError(f"{source} is truncated (it has no pixels): replace or remove it.")
    if file.syntax not in SYNTAXES:
        raise InputError(f"{source} is compressed in a way that is not read: save it uncompressed or as JPEG 2000.")
    decode = _decode_packed if SYNTAXES[file.syntax] else _decode_plain
    try:
        values = decode(file, file.pixels, shape, frame)
    except TumorlensError:
        raise
    except BaseException as error:  # damaged bytes make decoders raise anything, and those in Rust panic
        if not isinstance(error, Exception) and type(error).__module__ != _RUST_PANICS:
            raise
        raise InputError(
            f"{source} is truncated or damaged (its pixels cannot be decoded): replace or remove it."
        ) from error
    expected = (shape.rows, shape.columns) if shape.samples == 1 else (shape.rows, shape.columns, 3)
    if values.shape != expected:
        raise InputError(f"{source} is damaged (its pixels do not fill {shape.columns}x{shape.rows}): replace it.")
    surplus = shape.high_bit + 1 - shape.stored
    return values >> surplus if surplus and not SYNTAXES[file.syntax] else values


def _decode_plain(file: DicomFile, place: PixelPlace, shape: PixelFormat, frame: int) -> npt.NDArray[Any]:
    available = place.length or 0
    if available < shape.frame_bytes * (frame + 1):
        raise InputError(
            f"{file.path} is truncated ({available} bytes of pixels, expected {shape.frame_bytes * shape.frames}): "
            "replace or remove it."
        )
    with file.stream() as stream:
        stream.seek(place.offset)
        return _decoder(file)(stream, index=frame, pixel_vr=place.vr, **_options(shape))[0]


def _decode_packed(file: DicomFile, place: PixelPlace, shape: PixelFormat, frame: int) -> npt.NDArray[Any]:
    from pydicom.encaps import encapsulate

    packed = _packed_frame(file, place, shape, frame)
    size = codestream_size(packed)
    plugin = SYNTAXES[file.syntax]
    pixels = shape.rows * shape.columns * shape.samples
    if file.syntax != _RLE:
        _check_size(size, shape, source=str(file.path))
    if size and file.syntax in (_JPEG_BASELINE, _JPEG_EXTENDED) and size.precision > _DEEP:
        if shape.samples != 1 or shape.allocated != 16:
            raise InputError(
                f"{file.path} holds JPEG pictures of {size.precision} bits, which are read in grey with 16 bits "
                "allocated only: convert it."
            )
        return decode_isolated(packed, syntax=file.syntax, plugin=DEEP_JPEG, options=asdict(shape), pixels=pixels)
    if file.syntax in _JPEG_LS:  # CharLS looks for the end marker for half a minute, beyond the data, if there is none
        packed += _JPEG_END
    options = {**_options(shape), "number_of_frames": 1}
    if plugin != _TRUSTED:
        return decode_isolated(packed, syntax=file.syntax, plugin=plugin, options=options, pixels=pixels)
    # the frame is wrapped again, so that the decoder sees one frame whatever the file holds
    return _decoder(file)(encapsulate([packed], has_bot=False), index=0, decoding_plugin=plugin, **options)[0]


def _packed_frame(file: DicomFile, place: PixelPlace, shape: PixelFormat, frame: int) -> bytes:
    with file.stream() as stream:
        if shape.frames not in file.frame_places:
            extended = file.header.get("ExtendedOffsetTable"), file.header.get("ExtendedOffsetTableLengths")
            stream.seek(place.offset)
            found = find_frames(stream, count=shape.frames, extended=extended if all(extended) else None)
            file.frame_places[shape.frames] = found
        return read_frame(stream, file.frame_places[shape.frames][frame])


def _check_size(size: CodestreamSize | None, shape: PixelFormat, *, source: str) -> None:
    if size is None:
        raise InputError(f"{source} is damaged (its compressed pixels have no header): replace or remove it.")
    if (size.height, size.width, size.components) != (shape.rows, shape.columns, shape.samples):
        raise InputError(
            f"{source} is damaged (its header says {shape.columns}x{shape.rows} pixels of {shape.samples} values, its "
            f"compressed pixels {size.width}x{size.height} of {size.components}): replace or remove it."
        )
    if size.precision > shape.allocated:
        raise InputError(
            f"{source} is damaged (its compressed pixels have {size.precision} bits, its header allows "
            f"{shape.allocated}): replace or remove it."
        )


def _decoder(file: DicomFile) -> Callable[..., Any]:
    from pydicom.pixels import get_decoder

    return get_decoder(file.syntax).as_array


def _options(shape: PixelFormat) -> dict[str, Any]:
    options: dict[str, Any] = {
        "rows": shape.rows,
        "columns": shape.columns,
        "number_of_frames": shape.frames,
        "samples_per_pixel": shape.samples,
        "photometric_interpretation": shape.photometric,
        "bits_allocated": shape.allocated,
        "bits_stored": shape.high_bit + 1,
        "pixel_representation": int(shape.signed),
        "pixel_keyword": "PixelData",
    }
    return {**options, "planar_configuration": shape.planar} if shape.samples == 3 else options
