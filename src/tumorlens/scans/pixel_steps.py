"""The declared steps after reading, the same function at import and at prediction: head crop and harmonising."""

from __future__ import annotations

from dataclasses import replace

from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.raster import Scan
from tumorlens.scans.reading import PixelSteps

__all__ = ["prepare_scan"]


def prepare_scan(scan: Scan, steps: PixelSteps, *, limits: ReadLimits = DEFAULT_LIMITS) -> Scan:
    """Take a scan, and its mask with it, through the declared steps.

    Args:
        scan: As it was read.
        steps: What is done: the skull stripped, the square around the head cut out, grey levels standardised, in this
            order.
        limits: Largest picture; where the square would be larger, the scan is not cut.

    Returns:
        The scan with the steps added to its receipt.
    """
    if not steps:
        return scan
    from tumorlens.scans.harmonising import standardise_levels, strip_skull  # SciPy's image functions cost a
    from tumorlens.scans.head_crop import crop_to_head  # third of a second to import

    pixels, mask, receipt = scan.pixels, scan.mask, list(scan.receipt)
    if steps.harmonise:
        pixels, said = strip_skull(pixels)
        receipt.append(said)
    if steps.crop == "brain":
        pixels, mask, said = crop_to_head(pixels, mask, limits=limits)
        receipt.append(said)
    if steps.harmonise:
        pixels, said = standardise_levels(pixels)
        receipt.append(said)
    return replace(scan, pixels=pixels, mask=mask, receipt=tuple(receipt))
