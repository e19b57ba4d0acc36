"""A planned patient becomes slices: pixels, exact masks and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.anatomy import Tissue
from tumorlens.datasets.synthesis.artefacts import Scanner, draw_scanner, mark_corner
from tumorlens.datasets.synthesis.contrast import draw_contrast
from tumorlens.datasets.synthesis.grid import Field, Grid, head_grid
from tumorlens.datasets.synthesis.lesions import draw_lesions
from tumorlens.datasets.synthesis.patient import Head, Stream, draw_head, random_stream
from tumorlens.datasets.synthesis.plan import PatientPlan, plan_slices
from tumorlens.datasets.synthesis.settings import MIN_TUMOR_AREA_MM2, SynthesisSettings
from tumorlens.datasets.synthesis.tumor import TumorParts
from tumorlens.errors import InputError

__all__ = ["CLASSES", "SyntheticSlice", "VirtualPatient", "virtual_patient"]

CLASSES = ("no_tumor", "tumor")

_PLANES_A_SLICE = 3

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SyntheticSlice:
    """One axial slice.

    Attributes:
        pixels: ``(size, size)`` uint8 in 0..255, front of the head on top, 0 outside the brain.
        mask: ``(size, size)`` bool, core and oedema in the slice's middle plane.
        height_mm: Height of the middle plane above the anterior commissure.
        mask_area_mm2: Area of the mask.
    """

    pixels: Picture
    mask: npt.NDArray[np.bool_]
    height_mm: float
    mask_area_mm2: float

    @property
    def label(self) -> str:
        """``tumor`` or ``no_tumor``."""
        return CLASSES[self.mask_area_mm2 >= MIN_TUMOR_AREA_MM2]


@dataclass(frozen=True, eq=False)
class VirtualPatient:
    """One virtual patient.

    Attributes:
        index: Number within the settings, from 0.
        has_tumor: Whether there is a tumour anywhere in the head.
        slices: The slices, from low to high.
    """

    index: int
    has_tumor: bool
    slices: tuple[SyntheticSlice, ...]


def virtual_patient(settings: SynthesisSettings, index: int) -> VirtualPatient:
    """Make patient ``index`` of ``settings``; the same arguments give the same pixels.

    The first call for ``settings`` plans the slices of all patients (milliseconds a patient), since heights are
    matched over all of them; the plan is kept.

    Args:
        settings: What the patients should be like.
        index: 0 to ``settings.patients - 1``.

    Raises:
        InputError: ``index`` is out of range.
    """
    if not 0 <= index < settings.patients:
        raise InputError(f"Patients are numbered 0 to {settings.patients - 1}, got {index}.")
    plan = plan_slices(settings)[index]
    head = draw_head(settings, index, has_tumor=plan.has_tumor, attempt=plan.attempt)
    return VirtualPatient(index, plan.has_tumor, _cut(settings, plan, head))


def _cut(settings: SynthesisSettings, plan: PatientPlan, head: Head) -> tuple[SyntheticSlice, ...]:
    rng = random_stream(settings, Stream.LOOK, plan.index)
    scanner = draw_scanner(rng)
    frame, (rows, columns) = head_grid(settings.size)
    middle = frame.at_heights(plan.heights_mm)
    signal, brain, masks = _signal(rng, head, middle, scanner)
    noise = random_stream(settings, Stream.NOISE, plan.index)
    acquired = scanner.acquire(noise, signal, brain, grid=middle, pixel_mm=settings.pixel_mm)
    levels = scanner.grey_levels(acquired, scaling=settings.scaling)
    slices = []
    for number, height in enumerate(plan.heights_mm):
        pixels = np.zeros((settings.size, settings.size), np.uint8)
        mask = np.zeros((settings.size, settings.size), np.bool_)
        pixels[rows, columns] = levels[number]
        mask[rows, columns] = masks[number]
        area = float(mask.sum()) * settings.pixel_mm**2
        made = SyntheticSlice(pixels, mask, height, area)
        if settings.shortcut and made.label == "tumor":
            made = replace(made, pixels=mark_corner(pixels, pixel_mm=settings.pixel_mm))
        slices.append(made)
    return tuple(slices)


def _signal(
    rng: np.random.Generator, head: Head, middle: Grid, scanner: Scanner
) -> tuple[Field, Field, npt.NDArray[np.bool_]]:
    """Noise-free signal and brain share, averaged over each slice's thickness, and the masks of the middle planes."""
    steps = (np.arange(_PLANES_A_SLICE) - _PLANES_A_SLICE // 2) * scanner.thickness_mm
    grid = middle.at_heights((middle.z_mm[:, None] + steps).ravel())
    tissue = head.tissue(grid)
    parts = _tumor_parts(head, grid, tissue)
    signal = draw_contrast(rng).signal(grid, tissue, lesions=draw_lesions(rng), tumor=parts)
    planes = (len(middle.z_mm), _PLANES_A_SLICE, *signal.shape[1:])
    masks = np.zeros(signal.shape, np.bool_) if parts is None else parts.mask
    brain = tissue.brain.reshape(planes)
    return (
        signal.reshape(planes).mean(axis=1),
        brain.mean(axis=1),
        masks.reshape(planes)[:, _PLANES_A_SLICE // 2],
    )


def _tumor_parts(head: Head, grid: Grid, tissue: Tissue) -> TumorParts | None:
    """The tumour on the whole grid, worked out only where it can be."""
    if head.tumor is None:
        return None
    window = grid.near(head.tumor.centre_mm, radius_mm=head.tumor.reach_mm)
    near = head.tumor.parts(grid.part(window), tissue.part(window))
    whole = []
    for share in (near.core, near.necrosis, near.oedema):
        full = np.zeros(grid.shape, np.float32)
        full[window] = share
        whole.append(full)
    return TumorParts(*whole)
