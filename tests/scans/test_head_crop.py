from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tumorlens.scans import AS_READ, PixelSteps, Scan, prepare_scan, read_scan, scan_files
from tumorlens.scans.head_crop import MARGIN, crop_to_head
from tumorlens.types import Pixels


def head(
    size: tuple[int, int] = (160, 120), *, centre: tuple[int, int] = (70, 60), radii: tuple[int, int] = (45, 35)
) -> Pixels:
    """A bright ellipse with a dark middle on black; ``size`` is height and width, as are centre and radii."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2
    grey = np.where(distance <= 1, 150, 0) - np.where(distance <= 0.2, 145, 0)
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def square_of(step: str) -> tuple[int, int, int]:
    """Side, left and top in a receipt."""
    size, _, place = step.removeprefix("crop=head ").partition(" at ")
    left, top = place.split(",")
    return int(size.split("x")[0]), int(left), int(top)


def test_the_square_holds_the_head_with_its_margin() -> None:
    pixels = head()
    cropped, mask, step = crop_to_head(pixels)
    longer = 2 * 45 + 1
    side, left, top = square_of(step)
    assert mask is None
    assert cropped.shape == (side, side, 3)
    assert abs(side - longer * (1 + 2 * MARGIN)) <= 2
    assert abs(left + side / 2 - 60.5) <= 1
    assert abs(top + side / 2 - 70.5) <= 1
    assert int(cropped.astype(np.int64).sum()) == int(pixels.astype(np.int64).sum()), "nothing of the head is lost"
    assert cropped.flags.c_contiguous


def test_the_mask_goes_with_the_pixels_and_black_fills_up() -> None:
    pixels = head((60, 140), centre=(30, 100), radii=(29, 45))
    pixels[0, 100] = pixels[30, 139] = 255
    marked = np.zeros((60, 140), bool)
    marked[20:25, 80:90] = True
    cropped, mask, step = crop_to_head(pixels, marked)
    side, left, top = square_of(step)
    assert top < 0, "the square is higher than the picture"
    assert mask is not None
    assert mask.shape == (side, side)
    rows, columns = np.nonzero(mask)
    assert (rows.min() + top, columns.min() + left, mask.sum()) == (20, 80, 50)
    assert not cropped[: -top - 1].any()
    np.testing.assert_array_equal(cropped[30 - top, 100 - left], pixels[30, 100])


@pytest.mark.parametrize("place", [(2, 2), (120, 90)])
def test_burned_in_text_is_not_taken_for_head(place: tuple[int, int]) -> None:
    picture = Image.fromarray(head((240, 240), centre=(110, 110), radii=(80, 60)))
    plain = crop_to_head(np.asarray(picture))[2]
    ImageDraw.Draw(picture).text((place[1] + 90, place[0] + 110), "R 12:30", fill=(255, 255, 255))
    ImageDraw.Draw(picture).text((3, 3), "SE 4\nIM 12", fill=(255, 255, 255))
    assert crop_to_head(np.asarray(picture))[2] == plain


@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_bright_frame_is_peeled_off(width: int) -> None:
    pixels = head((200, 180), centre=(100, 90), radii=(60, 50))
    plain = square_of(crop_to_head(pixels)[2])
    for edge in (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:]):
        edge[...] = 255
    framed = square_of(crop_to_head(pixels)[2])
    assert max(abs(a - b) for a, b in zip(plain, framed, strict=True)) <= 2


def test_islands_of_the_brain_stay_inside() -> None:
    pixels = head((240, 240), centre=(150, 120), radii=(40, 50))
    pixels[60:80, 60:85] = pixels[60:80, 150:175] = 140
    side, left, top = square_of(crop_to_head(pixels)[2])
    assert top <= 60
    assert left <= 60
    assert left + side >= 175


@pytest.mark.parametrize("pixels", [np.zeros((40, 30, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)])
def test_without_a_head_nothing_changes(pixels: Pixels) -> None:
    mask = np.zeros(pixels.shape[:2], bool)
    cropped, same, step = crop_to_head(pixels, mask)
    assert cropped is pixels
    assert same is mask
    assert step == "crop=none (no head found)"


def test_a_speck_is_no_head() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[5:12, 5:12] = 255
    assert crop_to_head(pixels)[2] == "crop=none (no head found)"


def test_a_picture_that_is_head_all_over_is_kept_whole() -> None:
    pixels = np.full((50, 40, 3), 90, np.uint8)
    cropped, _, step = crop_to_head(pixels)
    side, left, top = square_of(step)
    assert side == 50 + 2 * 4
    np.testing.assert_array_equal(cropped[-top : 50 - top, -left : 40 - left], pixels)


def test_a_square_far_larger_than_its_strip_is_not_made() -> None:
    pixels = np.full((8, 9_000, 3), 90, np.uint8)
    mask = np.zeros(pixels.shape[:2], bool)
    cropped, same, step = crop_to_head(pixels, mask)
    assert cropped is pixels
    assert same is mask
    assert step == "crop=none (square too large)"
    assert prepare_scan(Scan(pixels, "PNG", "L", "a.png"), PixelSteps("brain")).receipt == (step,)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(60, 500),
    columns=st.integers(60, 500),
    high=st.floats(0.15, 0.45),
    wide=st.floats(0.15, 0.45),
    seed=st.integers(0, 99),
)
def test_cropping_again_changes_little(rows: int, columns: int, high: float, wide: float, seed: int) -> None:
    pixels = head((rows, columns), centre=(rows // 2, columns // 2), radii=(int(rows * high), int(columns * wide)))
    noise = np.random.default_rng(seed).integers(0, 40, pixels.shape[:2], np.uint8)
    pixels = np.where(pixels > 0, pixels + noise[:, :, None], noise[:, :, None] // 20)
    first, _, step = crop_to_head(pixels)
    assert crop_to_head(pixels)[2] == step
    second, _, _ = crop_to_head(first)
    assert abs(len(second) / len(first) - 1) <= 0.06


def test_scans_are_cropped_with_a_receipt() -> None:
    mask: npt.NDArray[np.bool_] = head()[:, :, 0] > 100
    scan = Scan(head(), "PNG", "L", "a.png", receipt=("window=1..2",), mask=mask)
    cropped = prepare_scan(scan, PixelSteps("brain"))
    assert cropped.receipt[0] == "window=1..2"
    assert cropped.receipt[1].startswith("crop=head ")
    assert cropped.mask is not None
    assert cropped.mask.sum() == mask.sum()
    assert prepare_scan(scan, AS_READ) is scan


@pytest.mark.realdata
def test_real_scans_keep_their_heads(real_data: Path) -> None:
    for file in scan_files(real_data / "bohaju3762")[::250]:
        pixels = read_scan(file).pixels
        cropped, _, step = crop_to_head(pixels)
        assert step.startswith("crop=head")
        assert cropped.sum(dtype=np.int64) >= 0.97 * pixels.sum(dtype=np.int64)
        assert abs(len(crop_to_head(cropped)[0]) / len(cropped) - 1) <= 0.06
