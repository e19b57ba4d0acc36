"""NIfTI volumes become scans: header, bounded reading, orientation, slices. Knows nothing about labels."""

from tumorlens.scans.nifti.mask import LesionMask, read_mask
from tumorlens.scans.nifti.names import is_nifti, nifti_stem
from tumorlens.scans.nifti.slices import MINIMUM_AREA, VolumeCut, head_share, read_nifti
from tumorlens.scans.nifti.volume import Volume, read_volume

__all__ = [
    "MINIMUM_AREA",
    "LesionMask",
    "Volume",
    "VolumeCut",
    "head_share",
    "is_nifti",
    "nifti_stem",
    "read_mask",
    "read_nifti",
    "read_volume",
]
