"""Decodes JPEG Extended with 12 bits a value by GDCM; pydicom's own decoders read 8 bits only. Grey pictures alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.dicom.pixel_format import PixelFormat

__all__ = ["decode_deep_jpeg"]


def decode_deep_jpeg(packed: bytes, shape: PixelFormat) -> npt.NDArray[np.uint16] | npt.NDArray[np.int16]:
    """Decode one frame.

    Args:
        packed: The JPEG codestream; its size must have been compared with ``shape``.
        shape: The frame's format: one value a pixel, 16 bits allocated.

    Returns:
        ``(rows, columns)`` stored values.

    Raises:
        InputError: It is no such picture.
    """
    if shape.samples != 1 or shape.allocated != 16:
        raise InputError("JPEG pictures of 12 bits are read in grey with 16 bits allocated only: convert the file.")
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(packed)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((shape.columns, shape.rows, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType(shape.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    extended = gdcm.TransferSyntax.GetTSType("1.2.840.10008.1.2.4.51")
    image.SetTransferSyntax(gdcm.TransferSyntax(extended))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, shape.stored, shape.stored - 1, int(shape.signed)))
    values = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM gives its bytes as text
    return np.frombuffer(values, "<i2" if shape.signed else "<u2").reshape(shape.rows, shape.columns)
