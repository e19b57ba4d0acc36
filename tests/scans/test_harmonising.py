"""Skull and scalp go, the brain stays; grey levels land where they should; nothing fails on odd pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.scans import PixelSteps, Scan, prepare_scan
from tumorlens.scans.harmonising import find_head, standardise_levels, strip_skull
from tumorlens.types import Pixels

HARMONISED = PixelSteps("brain", harmonise=True)
SIZE, CENTRE = 200, 100


def distances(size: int = SIZE) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    scale = SIZE / size
    return np.hypot((rows + 0.5) * scale - CENTRE, (columns + 0.5) * scale - CENTRE)


def slice_of_head(size: int = SIZE) -> Pixels:
    """Scalp (bright ring), skull (dark gap), brain with a gradient of grey levels, on black."""
    distance = distances(size)
    grey = np.where(distance < 62, 80 + distance, 0.0)
    grey = np.where((distance >= 62) & (distance < 70), 12, grey)
    grey = np.where((distance >= 70) & (distance < 78), 220, grey)
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.mark.parametrize("size", [120, 200, 500])
def test_the_scalp_goes_and_the_brain_stays(size: int) -> None:
    pixels = slice_of_head(size)
    stripped, step = strip_skull(pixels)
    distance = distances(size)
    brain, scalp = distance < 58, (distance >= 71) & (distance < 77)
    assert np.array_equal(stripped[brain], pixels[brain])
    assert (stripped[scalp] > 0).mean() < 0.02
    assert step == f"skull=stripped, {int((strip_skull(np.maximum(pixels, 1))[0][:, :, 0] > 0).sum())} pixels kept"


def test_a_scan_without_skull_stays_nearly_as_it_is() -> None:
    pixels = np.where((distances() < 62)[:, :, None], slice_of_head(), np.uint8(0))
    stripped, _ = strip_skull(pixels)
    assert (stripped != pixels).any(axis=2).mean() < 0.01


def test_percentiles_of_the_head_land_on_fixed_levels_whatever_the_contrast() -> None:
    pixels = np.where((distances() < 62)[:, :, None], slice_of_head(), np.uint8(0))
    darker = (pixels * 0.5).astype(np.uint8)
    for scan in (pixels, darker):
        standard, step = standardise_levels(scan)
        inside = standard[:, :, 0][find_head(scan[:, :, 0])]
        assert np.percentile(inside, [10, 90]) == pytest.approx([50, 170], abs=2.5)
        low, high = np.percentile(scan[:, :, 0][find_head(scan[:, :, 0])], [10, 90])
        assert step == f"levels={low:.0f}..{high:.0f} to 50..170"
        assert not standard[~find_head(scan[:, :, 0])].any()


def test_colour_goes() -> None:
    pixels = slice_of_head()
    pixels[:, :, 0] //= 2
    standard, _ = standardise_levels(pixels)
    assert np.array_equal(standard[:, :, 0], standard[:, :, 1]) and np.array_equal(standard[:, :, 1], standard[:, :, 2])


def test_the_steps_are_done_in_their_order_and_written_down() -> None:
    scan = prepare_scan(Scan(slice_of_head(), "PNG", "L", "a.png", receipt=("read",)), HARMONISED)
    assert [step.partition("=")[0] for step in scan.receipt] == ["read", "skull", "crop", "levels"]
    side = scan.pixels.shape[0]
    assert scan.pixels.shape == (side, side, 3)
    assert side == pytest.approx(2 * 62 * 1.16, abs=6)  # around the brain, not the scalp
    assert np.percentile(scan.pixels[find_head(scan.pixels[:, :, 0])], [10, 90]) == pytest.approx([50, 170], abs=3)


def test_a_mask_is_cut_with_its_scan_and_not_changed_else() -> None:
    mask = distances() < 20
    scan = prepare_scan(Scan(slice_of_head(), "PNG", "L", "a.png", mask=mask), HARMONISED)
    assert scan.mask is not None and scan.mask.shape == scan.pixels.shape[:2]
    assert scan.mask.sum() == mask.sum()


@pytest.mark.parametrize("grey", [0, 255])
def test_without_a_head_or_contrast_a_scan_is_left_as_it_is(grey: int) -> None:
    flat = np.full((30, 40, 3), grey, np.uint8)
    scan = prepare_scan(Scan(flat, "PNG", "L", "a.png"), HARMONISED)
    assert scan.pixels.dtype == np.uint8
    if grey == 0:
        assert np.array_equal(scan.pixels, flat)
        assert scan.receipt == (
            "skull=kept (no brain found)",
            "crop=none (no head found)",
            "levels=kept (no head found)",
        )


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), levels=st.integers(1, 255), seed=st.integers(0, 9))
def test_any_picture_gives_one(height: int, width: int, levels: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, levels + 1, (height, width, 3)).astype(np.uint8)
    before = pixels.copy()
    scan = prepare_scan(Scan(pixels, "PNG", "RGB", "a.png"), HARMONISED)
    assert scan.pixels.dtype == np.uint8 and scan.pixels.ndim == 3 and scan.pixels.shape[2] == 3
    assert np.array_equal(pixels, before)
    again = prepare_scan(Scan(pixels, "PNG", "RGB", "a.png"), HARMONISED)
    assert np.array_equal(scan.pixels, again.pixels)
