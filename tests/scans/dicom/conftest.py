"""Writes small DICOM files of every kind: single slices, multi-frame, Enhanced MR, in every transfer syntax."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4.1"
JPEG_BASELINE = UID("1.2.840.10008.1.2.4.50")
JPEG_LOSSLESS = UID("1.2.840.10008.1.2.4.70")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def make_uid(name: str) -> str:
    """The same UID for the same name."""
    return str(generate_uid(entropy_srcs=[name]))


def phantom(seed: int, *, size: int = 32, low: int = 0, high: int = 1000, dtype: str = "uint16") -> npt.NDArray[Any]:
    """A bright disc on a dark ground, with noise, ``(size, size)``."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    disc = np.where(np.hypot(y, x) < size * 0.4, 0.7, 0.05)
    noise = np.random.default_rng(seed).uniform(0, 0.3, (size, size))
    return (low + (high - low) * np.clip(disc + noise * disc, 0, 1)).astype(dtype)


def describe(values: npt.NDArray[Any], *, bits_stored: int | None, photometric: str) -> Dataset:
    """The Image Pixel module of ``values``, ``(h, w)``, ``(f, h, w)`` or ``(h, w, 3)``."""
    colour = photometric.startswith(("RGB", "YBR"))
    header = Dataset()
    header.Rows, header.Columns = values.shape[-3:-1] if colour else values.shape[-2:]
    header.SamplesPerPixel = 3 if colour else 1
    if colour:
        header.PlanarConfiguration = 0
    header.PhotometricInterpretation = photometric
    header.BitsAllocated = 8 * values.dtype.itemsize
    header.BitsStored = bits_stored or header.BitsAllocated
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(values.dtype.kind == "i")
    return header


def save_dicom(
    path: Path,
    values: npt.NDArray[Any],
    *,
    syntax: UID = ExplicitVRLittleEndian,
    bits_stored: int | None = None,
    photometric: str = "MONOCHROME2",
    patient: str | None = "Anna-1",
    series: str = "s1",
    number: int | None = 1,
    z: float | None = 0.0,
    orientation: Sequence[float] | None = AXIAL,
    frames: Sequence[dict[str, Any]] | None = None,
    extra: dict[str, Any] | None = None,
) -> Path:
    """Write ``values`` as a DICOM file.

    ``z`` is the place along the axis; ``frames`` makes an Enhanced MR file, with a dict of ``z``, ``slope``,
    ``intercept``, ``center``, ``width`` for each frame; ``extra`` sets or, with ``None``, removes elements.
    """
    header = describe(values, bits_stored=bits_stored, photometric=photometric)
    header.SOPClassUID = MR_STORAGE if frames is None else ENHANCED_MR_STORAGE
    header.SOPInstanceUID = make_uid(str(path))
    header.StudyInstanceUID = make_uid(f"study {patient} {series}")
    header.SeriesInstanceUID = make_uid(f"series {patient} {series}")
    header.Modality, header.SeriesDescription = "MR", "AX T2"
    header.PatientName, header.PatientBirthDate = "Secret^Anna", "19600102"
    if patient is not None:
        header.PatientID = patient
    if number is not None:
        header.InstanceNumber = number
    if values.ndim == 3 and header.SamplesPerPixel != 3:
        header.NumberOfFrames = len(values)
    if frames is None:
        _place_slice(header, z, orientation)
    else:
        _place_frames(header, frames, orientation or AXIAL)
    for keyword, value in (extra or {}).items():
        if value is None:
            del header[keyword]
        else:
            setattr(header, keyword, value)
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    _set_pixels(header, values, syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)
    if syntax == JPEG_LOSSLESS:
        _compress_by_gdcm(path)
    return path


def _set_pixels(header: Dataset, values: npt.NDArray[Any], syntax: UID) -> None:
    if syntax == JPEG_BASELINE:
        frames = values if values.ndim == 3 and header.SamplesPerPixel == 1 else values[None]
        header.PixelData = encapsulate([jpeg(frame) for frame in frames])
        header["PixelData"].VR = "OB"
        header["PixelData"].is_undefined_length = True
        return
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    header.PixelData = data + b"\0" * (len(data) % 2)
    header["PixelData"].VR = "OB" if header.BitsAllocated == 8 else "OW"
    if syntax == JPEG_LOSSLESS:
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    elif syntax.is_compressed and syntax.is_encapsulated:
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.compress(syntax, generate_instance_uid=False)


def jpeg(frame: npt.NDArray[np.uint8]) -> bytes:
    """A grey or colour picture as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def _compress_by_gdcm(path: Path) -> None:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def _place_slice(header: Dataset, z: float | None, orientation: Sequence[float] | None) -> None:
    header.PixelSpacing, header.SliceThickness = [0.9, 0.9], 5
    if orientation is not None:
        header.ImageOrientationPatient = list(orientation)
        if z is not None:
            header.ImagePositionPatient = list(np.cross(orientation[:3], orientation[3:]) * z)


def _place_frames(header: Dataset, frames: Sequence[dict[str, Any]], orientation: Sequence[float]) -> None:
    shared = Dataset()
    shared.PlaneOrientationSequence = Items([_item(ImageOrientationPatient=list(orientation))])
    shared.PixelMeasuresSequence = Items([_item(PixelSpacing=[0.9, 0.9], SliceThickness=5)])
    header.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for frame in frames:
        group = Dataset()
        normal = np.cross(orientation[:3], orientation[3:])
        group.PlanePositionSequence = Items([_item(ImagePositionPatient=list(normal * frame["z"]))])
        if "slope" in frame:
            rescale = _item(RescaleSlope=frame["slope"], RescaleIntercept=frame["intercept"], RescaleType="US")
            group.PixelValueTransformationSequence = Items([rescale])
        if "center" in frame:
            group.FrameVOILUTSequence = Items([_item(WindowCenter=frame["center"], WindowWidth=frame["width"])])
        groups.append(group)
    header.PerFrameFunctionalGroupsSequence = Items(groups)


def _item(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


@pytest.fixture
def write_dicom() -> Callable[..., Path]:
    """:func:`save_dicom`."""
    return save_dicom


@pytest.fixture
def make_phantom() -> Callable[..., npt.NDArray[Any]]:
    """:func:`phantom`."""
    return phantom
