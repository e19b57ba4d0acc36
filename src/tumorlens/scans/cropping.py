"""The declared crop of a scan: the same function at import and at prediction."""

from __future__ import annotations

from dataclasses import replace

from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.raster import Scan
from tumorlens.scans.reading import Crop

__all__ = ["crop_scan"]


def crop_scan(scan: Scan, crop: Crop, *, limits: ReadLimits = DEFAULT_LIMITS) -> Scan:
    """Cut a scan, and its mask with it.

    Args:
        scan: As it was read.
        crop: ``none`` leaves it as it is; ``brain`` cuts to the square around the head.
        limits: Largest picture; where the square would be larger, the scan is left as it is.

    Returns:
        The scan with the step added to its receipt.
    """
    if crop == "none":
        return scan
    from tumorlens.scans.head_crop import crop_to_head  # SciPy's image functions cost a third of a second to import

    pixels, mask, step = crop_to_head(scan.pixels, scan.mask, limits=limits)
    return replace(scan, pixels=pixels, mask=mask, receipt=(*scan.receipt, step))
