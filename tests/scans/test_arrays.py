from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.scans import ReadLimits, open_arrays, read_texts

N = 5
GREY = np.random.default_rng(0).integers(0, 256, (N, 6, 4), np.uint8)
CLASSES = np.array([0, 1, 1, 0, 2])


def save(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(N, 6, 4), (N, 6, 4, 1)])
def test_grey_arrays_become_three_equal_channels(tmp_path: Path, shape: tuple[int, ...]) -> None:
    scans = open_arrays(save(tmp_path / "a.npz", X=GREY.reshape(shape), Y=CLASSES))
    read = list(scans)
    assert len(scans) == len(read) == N
    assert [scan.source for scan in read] == [f"a.npz#{index}" for index in range(N)]
    assert (read[0].format, read[0].mode) == ("NPZ", "uint8")
    for scan, grey in zip(read, GREY, strict=True):
        np.testing.assert_array_equal(scan.pixels, np.repeat(grey[:, :, None], 3, axis=2))


def test_colour_arrays_are_kept(tmp_path: Path) -> None:
    colour = np.random.default_rng(1).integers(0, 256, (N, 6, 4, 3), np.uint8)
    scans = list(open_arrays(save(tmp_path / "a.npz", X=colour, Y=CLASSES)))
    np.testing.assert_array_equal(np.stack([scan.pixels for scan in scans]), colour)


@pytest.mark.parametrize(
    "labels",
    [
        CLASSES,
        CLASSES.reshape(-1, 1),
        CLASSES.astype(np.float32),
        np.eye(3)[CLASSES],
        np.eye(3, dtype=np.uint8)[CLASSES],
    ],
)
def test_labels_are_numbers_or_one_hot(tmp_path: Path, labels: np.ndarray) -> None:
    scans = open_arrays(save(tmp_path / "a.npz", X=GREY, Y=labels))
    assert scans.labels == ("0", "1", "1", "0", "2")


def test_labels_may_be_text_and_arrays_lower_case(tmp_path: Path) -> None:
    names = np.array(["no", "yes", "yes", "no", "no"])
    assert open_arrays(save(tmp_path / "a.npz", x=GREY, y=names)).labels == tuple(names)


def test_floats_are_rounded_with_the_warning(tmp_path: Path) -> None:
    scans = open_arrays(save(tmp_path / "a.npz", X=(GREY / 255).astype(np.float32), Y=CLASSES))
    read = list(scans)
    assert scans.rule.note is not None
    assert read[0].mode == "float32"
    np.testing.assert_array_equal(np.stack([scan.pixels[:, :, 0] for scan in read]), GREY)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": GREY}, r"no array Y \(arrays in it: X\)"),
        ({"Y": CLASSES}, "no array X"),
        ({"X": GREY[:3], "Y": CLASSES}, "3 images in X and 5 labels in Y"),
        ({"X": GREY[0], "Y": CLASSES}, r"X in .* has shape \(6, 4\)"),
        ({"X": GREY.reshape(N, 6, 2, 2), "Y": CLASSES}, r"expected \(n, h, w\)"),
        ({"X": GREY, "Y": np.full((N, 3), 0.3)}, "not one-hot"),
        ({"X": GREY, "Y": np.ones((N, 2))}, "not one-hot"),
        ({"X": GREY, "Y": CLASSES + 0.5}, "no class numbers"),
        ({"X": GREY, "Y": np.zeros((N, 2, 2))}, "expected one value a scan"),
        ({"X": GREY - 300.0, "Y": CLASSES}, "expected uint8, floats in 0..1"),
        ({"X": np.zeros((N, 0, 4), np.uint8), "Y": CLASSES}, "has no pixels"),
    ],
)
def test_unfit_arrays_are_refused(tmp_path: Path, arrays: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_arrays(save(tmp_path / "a.npz", **arrays))


def test_pixel_limit_holds_for_arrays_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the limit for one scan"):
        open_arrays(save(tmp_path / "a.npz", X=GREY, Y=CLASSES), limits=ReadLimits(pixels=23))


def test_patients_are_read_as_text(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", X=GREY, Y=CLASSES, patient=np.array(["p1", "p1 ", "p2"]))
    assert read_texts(file, "patient") == ("p1", "p1", "p2")
