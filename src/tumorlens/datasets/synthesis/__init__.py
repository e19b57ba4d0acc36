"""Synthetic scans: virtual patients made from an average brain, with exact tumour masks.

Pipeline: ``settings`` → ``plan`` (which slices of whom) → ``patient`` (``anatomy``, ``tumor``) →
``slices`` (``contrast``, ``lesions``, ``artefacts``) → ``folder`` (pictures, masks, labels).
"""

from tumorlens.datasets.synthesis.folder import synthesize
from tumorlens.datasets.synthesis.settings import SynthesisSettings
from tumorlens.datasets.synthesis.slices import SyntheticSlice, VirtualPatient, virtual_patient

__all__ = [
    "SynthesisSettings",
    "SyntheticSlice",
    "VirtualPatient",
    "synthesize",
    "virtual_patient",
]
