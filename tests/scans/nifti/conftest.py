"""Synthetic volumes in which every voxel is known, and the files they are stored in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from nibabel import orientations


def save_volume(
    path: Path,
    values: npt.NDArray[Any],
    affine: npt.NDArray[np.float64] | None = None,
    *,
    version: int = 1,
    scaling: tuple[float, float] | None = None,
) -> Path:
    """Store RAS+ values as they are, without nibabel's own choice of a scaling."""
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    image = kind(values, np.eye(4) if affine is None else affine, dtype=values.dtype)
    image.header.set_slope_inter(*(scaling or (1.0, 0.0)))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.to_filename(path)
    return path


def store_as(
    values: npt.NDArray[Any], affine: npt.NDArray[np.float64], codes: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """RAS+ values and affine in another order of axes, such as ``"PIL"``."""
    turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(codes))
    return orientations.apply_orientation(values, turn), affine @ orientations.inv_ornt_aff(turn, values.shape)


@pytest.fixture
def write_volume() -> Callable[..., Path]:
    """:func:`save_volume`."""
    return save_volume


@pytest.fixture
def stored_as() -> Callable[..., tuple[npt.NDArray[Any], npt.NDArray[np.float64]]]:
    """:func:`store_as`."""
    return store_as


@pytest.fixture
def ramp() -> npt.NDArray[np.int16]:
    """``(5, 6, 7)``: each voxel differs, and grows fastest along z."""
    return np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
