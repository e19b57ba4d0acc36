"""The grey levels a file asks for: VOI LUT or one of its windows, by the functions of PS3.3 C.11.2.1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.lookup import lookup_table

__all__ = ["apply_voi", "window_grey"]

_STEEPEST = 60.0


def apply_voi(
    values: npt.NDArray[Any], header: FrameHeader, *, index: int, signed: bool, little_endian: bool
) -> tuple[npt.NDArray[np.uint8], str]:
    """Show intensities as the file says.

    A VOI LUT is preferred to a window, as the standard leaves open and viewers do. A file without either is refused, so
    that no scan of a data set is shown by another rule than the rest.

    Args:
        values: ``(h, w)`` intensities after the modality step.
        header: The frame's header.
        index: Which of its tables, or else windows, from 1.
        signed: Whether the pixels are signed, for the table's first value.
        little_endian: Byte order of the file.

    Returns:
        ``(h, w)`` grey levels, and what was done: ``"linear:40,400"`` (function, centre, width) or ``"lut:4096"``.

    Raises:
        InputError: There is no such table or window, or it is damaged.
    """
    tables = header.items("VOILUTSequence")
    if tables:
        _check_index(index, len(tables), what="VOI lookup tables", source=header.source)
        table = lookup_table(tables[index - 1], signed=signed, little_endian=little_endian, source=header.source)
        grey = np.rint(table.apply(values) * (255.0 / (2**table.bits - 1)))
        return np.clip(grey, 0, 255).astype(np.uint8), f"lut:{len(table.entries)}"
    centers, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    _check_index(index, min(len(centers), len(widths)), what="windows", source=header.source)
    center, width = centers[index - 1], widths[index - 1]
    function = header.text("VOILUTFunction").upper() or "LINEAR"
    grey_levels = window_grey(values, center=center, width=width, function=function, source=header.source)
    return grey_levels, f"{function.lower()}:{center:g},{width:g}"


def window_grey(
    values: npt.NDArray[Any], *, center: float, width: float, function: str, source: str
) -> npt.NDArray[np.uint8]:
    """Apply one window: LINEAR, LINEAR_EXACT or SIGMOID of PS3.3 C.11.2.1.2 and C.11.2.1.3, output 0..255.

    Raises:
        InputError: The function is not known, or the width too small for it.
    """
    least = 1.0 if function == "LINEAR" else 0.0
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise InputError(
            f"{source} has a window function that is not read, expected LINEAR, LINEAR_EXACT or SIGMOID: choose "
            "--window percentiles."
        )
    if width < least or width <= 0:
        raise InputError(
            f"{source} is damaged (its window is {width:g} wide, expected at least {least:g}): choose --window "
            "percentiles."
        )
    exact = values.astype(np.float64)
    if function == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (exact - center) / width, -_STEEPEST, _STEEPEST)))
    else:
        if function == "LINEAR":
            center, width = center - 0.5, width - 1
        shares = np.where(exact > center + width / 2, 1.0, 0.0)
        between = (exact > center - width / 2) & (exact <= center + width / 2)
        shares[between] = (exact[between] - center) / width + 0.5
    return np.rint(np.clip(np.nan_to_num(shares), 0, 1) * 255).astype(np.uint8)


def _check_index(index: int, count: int, *, what: str, source: str) -> None:
    if index <= count:
        return
    if count == 0:
        raise InputError(f"{source} has no window of its own: choose --window percentiles or LOW,HIGH.")
    raise InputError(f"{source} has {count} {what}, none with the number {index}: choose another --window.")
