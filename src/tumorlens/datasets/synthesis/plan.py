"""Which slices of which patient are made, so that the heights of both classes match.

First every patient is cut, on paper, at all heights: with tumour, without, or neither. Then slices
are chosen for all patients together, so that the slices without tumour come from the same heights
as those with. Knows nothing about grey levels.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.grid import head_grid
from tumorlens.datasets.synthesis.patient import Head, Stream, draw_head, random_stream
from tumorlens.datasets.synthesis.settings import (
    HEIGHT_RANGE_MM,
    MIN_TUMOR_AREA_MM2,
    SynthesisSettings,
)
from tumorlens.datasets.synthesis.templates import load_template
from tumorlens.errors import InputError

__all__ = ["PatientPlan", "plan_slices"]

_ATTEMPTS = 50
_CLEARANCE_MM = 2.5
_TUMOR_SLICES = 0.7
_BAND_MM = 8.0

_Heights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PatientPlan:
    """What is made of one patient.

    Attributes:
        index: The patient's number, from 0.
        has_tumor: Whether there is a tumour anywhere in the head.
        attempt: Which drawing of the tumour is used.
        heights_mm: Heights of the slices, rising.
    """

    index: int
    has_tumor: bool
    attempt: int
    heights_mm: tuple[float, ...]


@dataclass(frozen=True)
class _Cuts:
    """All heights at which a patient may be cut."""

    attempt: int
    tumor: _Heights
    clear: _Heights


@lru_cache(maxsize=2)
def plan_slices(settings: SynthesisSettings) -> tuple[PatientPlan, ...]:
    """Choose the slices of all patients.

    Of a patient with a tumour, up to 70 % of the slices show it; given two slices or more, at least
    one does not.

    Raises:
        InputError: No tumour leaves as many slices as asked for.
    """
    rng = random_stream(settings, Stream.COHORT)
    ill = set(rng.permutation(settings.patients)[: settings.tumor_patients].tolist())
    load_template()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        numbers = range(settings.patients)
        cuts = list(pool.map(lambda index: _find_cuts(settings, index, index in ill), numbers))
    chosen = _choose_heights(settings, cuts, rng)
    return tuple(
        PatientPlan(index, index in ill, cut.attempt, tuple(sorted(heights)))
        for index, (cut, heights) in enumerate(zip(cuts, chosen, strict=True))
    )


def _find_cuts(settings: SynthesisSettings, index: int, has_tumor: bool) -> _Cuts:
    rng = random_stream(settings, Stream.HEIGHTS, index)
    lowest, highest = HEIGHT_RANGE_MM
    heights = np.arange(lowest + rng.uniform(0, settings.spacing_mm), highest, settings.spacing_mm)
    if not has_tumor:
        return _Cuts(0, heights[:0], heights)
    for attempt in range(_ATTEMPTS):
        head = draw_head(settings, index, has_tumor=True, attempt=attempt)
        cuts = _cut_tumor(settings, head, heights, attempt)
        enough = len(cuts.tumor) + len(cuts.clear) >= settings.slices_each
        if enough and len(cuts.tumor) and len(cuts.clear) >= settings.slices_each - _most(settings):
            return cuts
    raise InputError(
        f"No tumour leaves {settings.slices_each} slices {settings.spacing_mm:g} mm apart: "
        "ask for fewer slices_each or a smaller spacing_mm."
    )


def _cut_tumor(settings: SynthesisSettings, head: Head, heights: _Heights, attempt: int) -> _Cuts:
    """Sort heights into those that show the tumour and those that stay clear of it."""
    grid, _ = head_grid(settings.size)
    areas = head.mask_areas_mm2(grid.at_heights(heights), pixel_mm=settings.pixel_mm)
    around = np.concatenate([heights - _CLEARANCE_MM, heights + _CLEARANCE_MM])
    beside = head.mask_areas_mm2(grid.thinned().at_heights(around), pixel_mm=settings.pixel_mm)
    clear = (areas == 0) & (beside.reshape(2, -1).sum(axis=0) == 0)
    return _Cuts(attempt, heights[areas >= MIN_TUMOR_AREA_MM2], heights[clear])


def _most(settings: SynthesisSettings) -> int:
    """Most tumour slices a patient contributes."""
    return max(round(_TUMOR_SLICES * settings.slices_each), 1)


def _choose_heights(settings: SynthesisSettings, cuts: list[_Cuts], rng: np.random.Generator) -> list[list[float]]:
    chosen: list[list[float]] = []
    for cut in cuts:
        count = min(_most(settings), len(cut.tumor))
        chosen.append(rng.choice(cut.tumor, count, replace=False).tolist())
    wanted = _wanted_clear(chosen, total=settings.patients * settings.slices_each)
    ill_first = sorted(range(len(cuts)), key=lambda index: (len(cuts[index].tumor) == 0, rng.random()))
    for index in ill_first:
        missing = settings.slices_each - len(chosen[index])
        chosen[index] += _fill(cuts[index].clear, missing, wanted, rng)
    return chosen


def _wanted_clear(chosen: list[list[float]], *, total: int) -> npt.NDArray[np.float64]:
    """How many slices without tumour each height band should get: in proportion to those with."""
    tumor = np.array([height for heights in chosen for height in heights])
    bands = _band(np.array([HEIGHT_RANGE_MM[1]]))[0] + 1
    shares = np.bincount(_band(tumor), minlength=bands).astype(float) if len(tumor) else np.ones(bands)
    return shares * (total - len(tumor)) / shares.sum()


def _fill(clear: _Heights, count: int, wanted: npt.NDArray[np.float64], rng: np.random.Generator) -> list[float]:
    """Take ``count`` heights, each from the band that lacks most, and lower ``wanted``."""
    left = rng.permutation(clear)
    taken: list[float] = []
    for _ in range(count):
        best = int(np.argmax(wanted[_band(left)]))
        taken.append(float(left[best]))
        wanted[_band(left[best : best + 1])] -= 1
        left = np.delete(left, best)
    return taken


def _band(heights: _Heights) -> npt.NDArray[np.intp]:
    return ((heights - HEIGHT_RANGE_MM[0]) // _BAND_MM).astype(np.intp)
