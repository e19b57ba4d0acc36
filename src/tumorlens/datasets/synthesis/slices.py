"""A planned patient becomes slices: pixels, exact masks and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.anatomy import Tissue
from tumorlens.datasets.synthesis.artefacts import Scanner, draw_scanner, mark_corner
from tumorlens.datasets.synthesis.contrast import Contrast, draw_contrast
from tumorlens.datasets.synthesis.grid import Field, Grid, head_grid
from tumorlens.datasets.synthesis.lesions import WhiteMatterLesions, draw_lesions
from tumorlens.datasets.synthesis.patient import Head, Stream, draw_head, random_stream
from tumorlens.datasets.synthesis.plan import PatientPlan, plan_slices
from tumorlens.datasets.synthesis.settings import MIN_TUMOR_AREA_MM2, SynthesisSettings
from tumorlens.datasets.synthesis.tumor import TumorParts
from tumorlens.errors import InputError

__all__ = ["CLASSES", "SyntheticSlice", "VirtualPatient", "virtual_patient"]

CLASSES = ("no_tumor", "tumor")

_PLANES_A_SLICE = 3

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
_Value = TypeVar("_Value", np.uint8, np.bool_)


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
    mask: Mask
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

    The first call for ``settings`` plans the slices of all patients, since heights are matched over
    all of them (about 0.1 s a patient with a tumour); the plan is kept.

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
    return VirtualPatient(index, plan.has_tumor, tuple(_cut(settings, plan, head)))


@dataclass(frozen=True)
class _Look:
    scanner: Scanner
    contrast: Contrast
    lesions: WhiteMatterLesions


def _cut(settings: SynthesisSettings, plan: PatientPlan, head: Head) -> Iterator[SyntheticSlice]:
    rng = random_stream(settings, Stream.LOOK, plan.index)
    look = _Look(draw_scanner(rng), draw_contrast(rng), draw_lesions(rng))
    noise = random_stream(settings, Stream.NOISE, plan.index)
    frame, window = head_grid(settings.size)
    middle = frame.at_heights(plan.heights_mm)
    for block in middle.blocks(layers=_PLANES_A_SLICE):
        part = middle.at_heights(middle.z_mm[block])
        signal, brain, masks = _signal(head, look, part)
        acquired = look.scanner.acquire(noise, signal, brain, grid=part, pixel_mm=settings.pixel_mm)
        levels = look.scanner.grey_levels(acquired, scaling=settings.scaling)
        for height, picture, mask in zip(plan.heights_mm[block], levels, masks, strict=True):
            yield _finish(settings, height, _frame(settings, window, picture), _frame(settings, window, mask))


def _finish(settings: SynthesisSettings, height: float, pixels: Picture, mask: Mask) -> SyntheticSlice:
    made = SyntheticSlice(pixels, mask, height, float(mask.sum()) * settings.pixel_mm**2)
    if settings.shortcut and made.label == "tumor":
        return replace(made, pixels=mark_corner(pixels, pixel_mm=settings.pixel_mm))
    return made


def _signal(head: Head, look: _Look, middle: Grid) -> tuple[Field, Field, npt.NDArray[np.bool_]]:
    """Noise-free signal and brain share, each averaged over the slices' thickness, and masks.

    A mask is that of a slice's middle plane alone.
    """
    steps = (np.arange(_PLANES_A_SLICE) - _PLANES_A_SLICE // 2) * look.scanner.thickness_mm
    grid = middle.at_heights((middle.z_mm[:, None] + steps).ravel())
    tissue = head.tissue(grid)
    parts = _tumor_parts(head, grid, tissue)
    signal = look.contrast.signal(grid, tissue, lesions=look.lesions, tumor=parts)
    planes = (len(middle.z_mm), _PLANES_A_SLICE, *signal.shape[1:])
    masks = np.zeros(signal.shape, np.bool_) if parts is None else parts.mask
    return (
        signal.reshape(planes).mean(axis=1),
        tissue.brain.reshape(planes).mean(axis=1),
        masks.reshape(planes)[:, _PLANES_A_SLICE // 2],
    )


def _frame(settings: SynthesisSettings, window: tuple[slice, slice], part: npt.NDArray[_Value]) -> npt.NDArray[_Value]:
    """Lay the part of a picture that can hold brain into the whole picture."""
    whole = np.zeros((settings.size, settings.size), part.dtype)
    whole[window] = part
    return whole


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
